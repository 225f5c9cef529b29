// State of a strand is touched on the strand alone.
#include "async/parking.hpp"

using namespace nissa;

namespace {

struct Component {
  Strand strand;
  int count NISSA_GUARDED_BY(strand) = 0;
  Parking idle NISSA_GUARDED_BY(strand);
  void bump() NISSA_REQUIRES(strand) { ++count; }

  int off_the_strand() {
    return count;  // expected-error {{reading variable 'count' requires holding strand 'strand'}}
  }

  void off_the_strand_calls() {
    bump();           // expected-error {{calling function 'bump' requires holding strand 'strand' exclusively}}
    idle.wake_all();  // expected-error {{reading variable 'idle' requires holding strand 'strand'}}
  }

  Task<int> forgets_to_say_entered() {
    return run_on(strand, [this] {
      return ++count;  // expected-error {{writing variable 'count' requires holding strand 'strand' exclusively}}
    });
  }

  void posts_without_saying_entered() {
    post_to(strand, [this] {
      bump();  // expected-error {{calling function 'bump' requires holding strand 'strand' exclusively}}
    });
  }

  Task<void> loop_that_never_entered() {
    while (count < 3) {  // expected-error {{reading variable 'count' requires holding strand 'strand'}}
      co_await yield_turn();
    }
  }

  Task<int> another_component_s_strand(Component& other) {
    return run_on(other.strand, [this, &other] {
      other.strand.entered();
      return other.count + count;  // expected-error {{reading variable 'count' requires holding strand 'strand'}}
    });
  }

  // And this is right, in all three ways.
  Task<int> right() {
    co_await run_on(strand, [this]() NISSA_REQUIRES(strand) { bump(); });
    post_to(strand, [this] {
      strand.entered();
      bump();
    });
    co_return co_await run_on(strand, [this] {
      strand.entered();
      return count;
    });
  }
};

}  // namespace
