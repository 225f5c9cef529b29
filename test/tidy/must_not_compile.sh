#!/bin/sh
# Misuses are tests: each file of must_not_compile/ names the compiler's errors beside the misuses (expected-error), and
# clang checks that it finds exactly these. Usage: must_not_compile.sh BUILD_FOLDER [CLANG]; needs BUILD_FOLDER/views.
build=${1:?usage: must_not_compile.sh BUILD_FOLDER [CLANG]}
clang=${2:-clang++-19}
here=$(dirname "$0")/must_not_compile
passed=0 failed=0
for file in "$here"/*.cpp; do
  if "$clang" -std=c++23 -fsyntax-only -Xclang -verify -Xclang -verify-ignore-unexpected=note -Wall -Wextra -Werror -Wthread-safety \
    -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_NO_DEPRECATED -DBOOST_ASIO_DISABLE_BOOST_COROUTINE \
    -I "$build/views/async" -I "$build/views/base" "$file"; then
    passed=$((passed + 1))
  else
    echo "$file: the compiler does not find the misuses that it should"
    failed=$((failed + 1))
  fi
done
echo "must_not_compile: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
