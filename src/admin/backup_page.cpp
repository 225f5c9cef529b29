#include "admin/backup_page.hpp"

#include "admin/json_body.hpp"
#include "admin/json_text.hpp"

namespace nissa::admin {
namespace {

using journal::BackupFault;

net::HttpResponse refused(BackupFault fault, const std::string& message) {
  switch (fault) {
    case BackupFault::no_directory:
      return net::http_error(409, "no_backup_directory", message,
                             "set backup_directory in [journal] of nissa.toml, and start nissad again");
    case BackupFault::under_way:
      return net::http_error(409, "backup_under_way", message, "ask again when that one has ended");
    case BackupFault::journal_fails:
      return net::http_error(503, "journal_failing", message, "/readyz says when it goes on");
    case BackupFault::no_room:
      return net::http_error(503, "no_room", message, "delete old backups, or name a larger disk in backup_directory");
    case BackupFault::overtaken:
      return net::http_error(503, "overtaken", message, "ask again when less comes in, or name a faster disk");
    case BackupFault::stopping:
      return net::http_error(503, "stopping", message, "ask again when it runs again");
    case BackupFault::failed:
      break;
  }
  return net::http_error(500, "backup_failed", message, "nothing of it is left; look at the disk of backup_directory");
}

}  // namespace

std::optional<net::HttpResponse> fault_of_backup_request(const net::HttpRequest& request) {
  const auto body = read_json_texts(request);
  if (!body) return body.error();
  if (body->empty()) return std::nullopt;
  return net::http_error(400, "bad_body", "expected {}, and not " + body->begin()->first,
                         "where to is said by backup_directory in nissa.toml");
}

net::HttpResponse backup_page(const journal::BackupResult& result) {
  if (!result) return refused(result.error().fault, result.error().message);
  std::string body = "{\"directory\":" + net::json_quoted(result->directory) + ",\"lsn\":";
  append_number(body, result->lsn);
  body += ",\"bytes\":";
  append_number(body, result->bytes);
  body += ",\"state_id\":" + hex_quoted(result->state_id) + ",\"took_ms\":";
  append_number(body, result->took_ms);
  return net::http_json(body + "}\n", 201);
}

}  // namespace nissa::admin
