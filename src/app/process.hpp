// What a process inherits and must mend before it opens anything.
#pragma once

namespace nissa::app {

// Closed standard streams become /dev/null, else the next file that is opened would get the log's descriptor; a reader
// that is gone (SIGPIPE) and a file-size limit (SIGXFSZ) become errors with words. First thing in main().
void prepare_process();

}  // namespace nissa::app
