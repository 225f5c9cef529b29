// protoc with its C++ generator alone: the others are two thirds of its sources, and nothing here needs them.
#include <google/protobuf/compiler/command_line_interface.h>
#include <google/protobuf/compiler/cpp/generator.h>

int main(int argc, char** argv) {
  google::protobuf::compiler::CommandLineInterface command_line;
  google::protobuf::compiler::cpp::CppGenerator generator;
  command_line.RegisterGenerator("--cpp_out", "--cpp_opt", &generator, "Generate C++ header and source.");
  return command_line.Run(argc, argv);
}
