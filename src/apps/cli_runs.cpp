#include "apps/cli_runs.h"

namespace twostroke {
namespace {

void add_file(CLI::App* command, RunsDbOptions& db) {
  command->add_option("--runs-db", db.path,
                      "history file; default $XDG_DATA_HOME/twostroke/runs.sqlite");
}

void add_filter(CLI::App* command, RunFilter& filter) {
  command->add_option("--kind", filter.kind, "only runs of this kind: load, compare, explain");
  command->add_option("--label", filter.label, "only runs with this label");
  command->add_option("--limit", filter.limit, "at most so many, the newest")
      ->check(CLI::Range(1, 1'000'000));
}

CLI::App* add_action(CLI::App* command, RunsOptions& runs, const char* name, const char* help,
                     RunsOptions::Action action) {
  CLI::App* sub = command->add_subcommand(name, help);
  add_file(sub, runs.db);
  sub->callback([&runs, action] { runs.action = action; });
  return sub;
}

void add_ids(CLI::App* command, RunsOptions& runs, const char* help, bool required) {
  command->add_option("ids", runs.ids, help)->required(required)->check(CLI::PositiveNumber);
}

}  // namespace

void add_runs_db(CLI::App* command, RunsDbOptions& db) {
  add_file(command, db);
  command->add_flag("--no-save", db.no_save, "do not keep this run in the history");
}

CLI::App* add_runs(CLI::App& app, RunsOptions& runs) {
  using Action = RunsOptions::Action;
  CLI::App* command = app.add_subcommand("runs", "the history of measured runs");
  // Without a subcommand: the list.
  command->require_subcommand(0, 1);
  add_file(command, runs.db);
  add_filter(command, runs.filter);
  command->add_flag("--json", runs.json, "print as JSON");
  CLI::App* list = add_action(command, runs, "list", "the newest runs", Action::kList);
  add_filter(list, runs.filter);
  list->add_flag("--json", runs.json, "print as JSON");
  CLI::App* show = add_action(command, runs, "show", "one run in full", Action::kShow);
  add_ids(show, runs, "numbers of runs", true);
  show->add_flag("--json", runs.json, "print as JSON, with the whole result");
  show->add_flag("--requests", runs.requests, "with --json: every request too");
  CLI::App* compare =
      add_action(command, runs, "compare", "kept load runs against each other", Action::kCompare);
  compare->add_option("A", runs.a, "numbers of runs with commas between, or a label")->required();
  compare->add_option("B", runs.b, "the same for the other side")->required();
  compare->add_option("--margin", runs.margin_percent, "percent that do not matter")
      ->check(CLI::Range(0.01, 100.0));
  compare
      ->add_option("--run-noise", runs.run_noise_percent,
                   "one run each: percent by which runs of one side differ, known from elsewhere")
      ->check(CLI::Range(0.001, 100.0));
  compare->add_option("--html", runs.html, "write the page to this file");
  compare->add_flag("--json", runs.json, "print as JSON");
  CLI::App* export_runs =
      add_action(command, runs, "export", "runs as JSON or CSV", Action::kExport);
  add_ids(export_runs, runs, "numbers of runs; none: all that --kind and --label let through",
          false);
  add_filter(export_runs, runs.filter);
  export_runs->add_option("--format", runs.format, "json or csv")
      ->check(CLI::IsMember({"json", "csv"}));
  export_runs->add_option("--output,-o", runs.output, "file to write; default: stdout");
  export_runs->add_flag("--requests", runs.requests, "every request, not only each run's summary");
  CLI::App* remove = add_action(command, runs, "delete", "forget runs", Action::kDelete);
  add_ids(remove, runs, "numbers of runs", true);
  return command;
}

}  // namespace twostroke
