// Violations in simulated runs fail the run and not the program, which goes on with the next seed. One thread.
#pragma once

namespace nissa::simulation {

// From here on the first few after each forget_violations() are printed, and all are counted.
void count_violations();
void forget_violations();
int violations_seen();

}  // namespace nissa::simulation
