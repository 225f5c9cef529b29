// clang's thread-safety attributes; a strand is a capability too. Elsewhere they are nothing.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define NISSA_ATTRIBUTE(x) __attribute__((x))
#else
#define NISSA_ATTRIBUTE(x)
#endif

#define NISSA_CAPABILITY(name) NISSA_ATTRIBUTE(capability(name))
#define NISSA_SCOPED_CAPABILITY NISSA_ATTRIBUTE(scoped_lockable)
#define NISSA_GUARDED_BY(x) NISSA_ATTRIBUTE(guarded_by(x))
#define NISSA_PT_GUARDED_BY(x) NISSA_ATTRIBUTE(pt_guarded_by(x))
#define NISSA_REQUIRES(...) NISSA_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define NISSA_ACQUIRE(...) NISSA_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define NISSA_RELEASE(...) NISSA_ATTRIBUTE(release_capability(__VA_ARGS__))
#define NISSA_EXCLUDES(...) NISSA_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NISSA_ASSERT_CAPABILITY(x) NISSA_ATTRIBUTE(assert_capability(x))
#define NISSA_NO_THREAD_SAFETY_ANALYSIS NISSA_ATTRIBUTE(no_thread_safety_analysis)
