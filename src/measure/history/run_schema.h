// The tables of the run history, and how an older file becomes today's.
#pragma once

#include "base/result.h"
#include "measure/history/sqlite_database.h"

namespace twostroke {

// "TSRH": says in the file's header whose it is.
constexpr int kRunsApplicationId = 0x54535248;
// The number of migrations; PRAGMA user_version of an up-to-date file.
int newest_run_schema();
// Checks whose the file is and migrates it up to `version`, in one transaction.
Status migrate_run_schema(SqliteDatabase& database, int version);

}  // namespace twostroke
