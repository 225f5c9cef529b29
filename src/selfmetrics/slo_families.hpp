// The nissa_slo_* families: pages of the ledger → Prometheus' text format. Our own writer, because with 10 000 SLOs the
// library's takes 140 ms for what is done here in a tenth of that: a line is a label text prepared once a page and a
// number written by std::to_chars.
//
// All SLOs of a family stand together, as the format wants it. Retired SLOs are never shown: another may bear the name.
// Where nothing was counted a burn rate and a budget are no line: 0 / 0 is neither 0 nor 100 %.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger_pages.hpp"

namespace nissa::selfmetrics {

// Written in pieces, so that whoever writes can give a turn away between them. One thread at a time.
class SloFamilies {
 public:
  // `all_windows`: coverage of every window, not of 30d alone.
  SloFamilies(std::shared_ptr<const ledger::SloPages> pages, bool all_windows);

  // Appends the next piece, one family of at most 256 SLOs: at most 0.3 ms. False: that was the last.
  bool write_next(std::string& text);

 private:
  struct Labels {
    std::string text;               // {slo="a"{slo="b"...
    std::vector<std::size_t> ends;  // one for each SLO of the page that is not retired
  };
  void prepare(const ledger::SloPage& page);
  void write_page(std::string& text) const;
  std::size_t expected_bytes() const;

  std::shared_ptr<const ledger::SloPages> pages_;
  bool all_windows_;
  std::vector<Labels> labels_;  // by page
  std::size_t label_bytes_ = 0;
  std::size_t glob_bytes_ = 0;
  std::size_t slo_count_ = 0;
  std::size_t family_ = 0;  // the next piece is of this family
  std::size_t page_ = 0;    // and of this page
};

}  // namespace nissa::selfmetrics
