// What nissad's exit says to whoever supervises it.
#pragma once

namespace nissa::app {

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,         // could not start, or could not go on; starting it again may help
  exit_configuration = 2,  // the file or the arguments are wrong; starting it again will not help
  exit_damaged_state = 3,  // the state is not what was written: an operator has to choose
};

}  // namespace nissa::app
