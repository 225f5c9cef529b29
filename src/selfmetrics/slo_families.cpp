#include "selfmetrics/slo_families.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "selfmetrics/catalogue.hpp"
#include "slo/budget.hpp"
#include "slo/burn_rate.hpp"
#include "slo/period_text.hpp"
#include "slo/window.hpp"

namespace nissa::selfmetrics {
namespace {

using ledger::SloPage;
using ledger::SloView;

constexpr std::size_t number_bytes = 32;  // the longest shortest double has 24 characters, the longest uint64 has 20

// By index in slo::windows.
constexpr std::array window_tails{std::string_view(",window=\"5m\"} "), std::string_view(",window=\"30m\"} "),
                                  std::string_view(",window=\"1h\"} "), std::string_view(",window=\"2h\"} "),
                                  std::string_view(",window=\"6h\"} "), std::string_view(",window=\"1d\"} "),
                                  std::string_view(",window=\"3d\"} "), std::string_view(",window=\"30d\"} ")};

static_assert(window_tails.size() == slo::window_count);

// https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information
void append_escaped(std::string& out, std::string_view raw) {
  for (const char c : raw) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

// Lines of one SLO in one family. A line is written straight into the page's text.
struct Lines {
  std::string& text;
  std::string_view family;
  std::string_view label;  // {slo="name"
  bool all_windows;

  template <class Number>
  void add(std::string_view tail, Number value) const {
    const std::size_t before = text.size();
    const std::size_t most = before + family.size() + label.size() + tail.size() + number_bytes + 1;
    text.resize_and_overwrite(most, [&](char* begin, std::size_t) {
      char* out = begin + before;
      for (const std::string_view part : {family, label, tail}) out = std::copy(part.begin(), part.end(), out);
      out = std::to_chars(out, out + number_bytes, value).ptr;
      *out++ = '\n';
      return static_cast<std::size_t>(out - begin);
    });
  }
  void add(std::string_view tail, const std::optional<double>& value) const {
    if (value) add(tail, *value);
  }
};

void write_events(const Lines& lines, const SloView& slo) {
  lines.add(",verdict=\"good\"} ", slo.lifetime.good);
  lines.add(",verdict=\"bad\"} ", slo.lifetime.bad());
}
void write_burn_rates(const Lines& lines, const SloView& slo) {
  for (std::size_t w = 0; w < slo::window_count; ++w)
    lines.add(window_tails[w], slo::burn_rate(slo.windows[w], slo.definition->objective));
}
void write_budget(const Lines& lines, const SloView& slo) {
  lines.add("} ", slo::budget_remaining(slo.period, slo.definition->objective));
}
void write_objective(const Lines& lines, const SloView& slo) { lines.add("} ", slo.definition->objective.ratio()); }
void write_coverage(const Lines& lines, const SloView& slo) {
  for (std::size_t w = lines.all_windows ? 0 : slo::window_30d; w < slo::window_count; ++w)
    lines.add(window_tails[w], slo.coverage[w].ratio());
}

// The globs are escaped each time: kept they would take as much memory as the page.
void write_info(const Lines& lines, const SloView& slo) {
  const slo::Sli& sli = slo.definition->sli;
  std::string& text = lines.text;
  text.append(lines.family).append(lines.label).append(R"(,sli=")");
  text.append(sli.criterion.kind == slo::SliKind::latency ? "latency" : "availability");
  append_escaped(text.append(R"(",service=")"), sli.selector.service);
  append_escaped(text.append(R"(",operation=")"), sli.selector.operation);
  text.append(R"(",period=")").append(slo::period_text(slo.definition->period_ms)).append("\"} 1\n");
}

struct FamilyOfSlos {
  std::string_view name;
  void (*write)(const Lines& lines, const SloView& slo);
};
constexpr std::array families{FamilyOfSlos{"nissa_slo_events_total", write_events},
                              FamilyOfSlos{"nissa_slo_burn_rate", write_burn_rates},
                              FamilyOfSlos{"nissa_slo_error_budget_remaining_ratio", write_budget},
                              FamilyOfSlos{"nissa_slo_objective_ratio", write_objective},
                              FamilyOfSlos{"nissa_slo_coverage_ratio", write_coverage},
                              FamilyOfSlos{"nissa_slo_info", write_info}};

std::string_view type_of(Kind kind) {
  return kind == Kind::counter ? "counter" : kind == Kind::gauge ? "gauge" : "histogram";
}

// The help texts hold neither backslash nor line feed.
void write_header(std::string& text, std::string_view name) {
  const Metric& metric = metric_named(name);
  text.append("# HELP ").append(name).append(" ").append(metric.help);
  text.append("\n# TYPE ").append(name).append(" ").append(type_of(metric.kind)).append("\n");
}

}  // namespace

SloFamilies::SloFamilies(std::shared_ptr<const ledger::SloPages> pages, bool all_windows)
    : pages_(std::move(pages)), all_windows_(all_windows) {
  labels_.reserve(pages_->pages.size());
}

bool SloFamilies::write_next(std::string& text) {
  const std::size_t page_count = pages_->pages.size();
  if (labels_.size() < page_count) {
    prepare(*pages_->pages[labels_.size()]);
    return true;
  }
  if (family_ == 0 && page_ == 0) text.reserve(text.size() + expected_bytes());
  if (page_ == 0) write_header(text, families[family_].name);
  if (page_ < page_count) write_page(text);
  if (++page_ >= page_count) {
    page_ = 0;
    ++family_;
  }
  return family_ < families.size();
}

void SloFamilies::prepare(const SloPage& page) {
  Labels& labels = labels_.emplace_back();
  labels.ends.reserve(page.slos.size());
  for (const SloView& slo : page.slos) {
    if (slo.retired) continue;
    labels.text += "{slo=\"";
    append_escaped(labels.text, slo.definition->name);
    labels.text += '"';
    labels.ends.push_back(labels.text.size());
    glob_bytes_ += slo.definition->sli.selector.service.size() + slo.definition->sli.selector.operation.size();
  }
  label_bytes_ += labels.text.size();
  slo_count_ += labels.ends.size();
}

// A text that grows by doubling would copy megabytes in one go.
std::size_t SloFamilies::expected_bytes() const {
  constexpr std::size_t bytes_a_line = 64;  // beside the label of the SLO
  const std::size_t lines = 13 + (all_windows_ ? slo::window_count : 1);
  return lines * (label_bytes_ + slo_count_ * bytes_a_line) + glob_bytes_ + 1024;
}

void SloFamilies::write_page(std::string& text) const {
  const FamilyOfSlos& family = families[family_];
  const Labels& labels = labels_[page_];
  std::size_t begin = 0;
  auto end = labels.ends.begin();
  for (const SloView& slo : pages_->pages[page_]->slos) {
    if (slo.retired) continue;
    const std::string_view label(labels.text.data() + begin, *end - begin);
    family.write({text, family.name, label, all_windows_}, slo);
    begin = *end++;
  }
}

}  // namespace nissa::selfmetrics
