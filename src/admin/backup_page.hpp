// POST /api/v2/backup, as pages: what is asked, and what became of it. Pure.
#pragma once
#include <optional>

#include "journal/backup.hpp"
#include "net/http_types.hpp"

namespace nissa::admin {

// The body is {}: where to is not the asker's to say. Else what is wrong with it: 400, 415.
std::optional<net::HttpResponse> fault_of_backup_request(const net::HttpRequest& request);

// 201 with {"directory","lsn","bytes","state_id","took_ms"}; else 409, 500 or 503 by name.
net::HttpResponse backup_page(const journal::BackupResult& result);

}  // namespace nissa::admin
