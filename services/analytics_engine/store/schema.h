// The tables of the engine's database, as steps from each version to the next.
#ifndef SERVICES_ANALYTICS_ENGINE_STORE_SCHEMA_H_
#define SERVICES_ANALYTICS_ENGINE_STORE_SCHEMA_H_

namespace nightjar::analytics_engine {

// Step i leads from version i to i + 1. A step that was released never changes: add another.
inline constexpr const char* kMigrations[] = {
    // Times are milliseconds since the Unix epoch. sequence is never used twice (AUTOINCREMENT),
    // even when rows are deleted. totals has one row, kept in the same transactions as alerts.
    R"(
CREATE TABLE store (id TEXT NOT NULL);
INSERT INTO store VALUES (lower(hex(randomblob(4))));

CREATE TABLE alerts (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  severity INTEGER NOT NULL,
  threats TEXT NOT NULL,  -- ids, separated by spaces, strongest first
  event TEXT NOT NULL,    -- the JSON object as the client sent it
  findings TEXT NOT NULL,  -- members of the alert's JSON object that say what was found
  bytes INTEGER NOT NULL  -- of event and findings
);
CREATE INDEX alerts_by_sequence ON alerts (sequence, severity);

CREATE TABLE totals (alerts INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);

CREATE TABLE keys (
  hash TEXT PRIMARY KEY,  -- SHA-256 of the key's text, hex
  prefix TEXT NOT NULL UNIQUE,
  scopes INTEGER NOT NULL,  -- bits
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  used_ms INTEGER,
  revoked_ms INTEGER
) WITHOUT ROWID;
)",
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_STORE_SCHEMA_H_
