// What the user decided about pushing WAL, as values.

import BackstopCore

struct PushSettings: Sendable {
    /// Whether the header of a segment is looked at.
    let checksHeader: Bool
    /// Whether a segment that is there already is worth a warning.
    let checksMode: Bool
    /// For forks whose version numbers are unknown.
    let forcedVersion: PostgresVersion?
    /// The compression of segments; what a repository is encrypted with is its own.
    let coding: ObjectCoding
    let log: Log

    init(_ context: RunContext) throws(BackupError) {
        checksHeader = context.options[ArchiveOptions.headerCheck]
        checksMode = context.options[ArchiveOptions.modeCheck]
        forcedVersion = try context.forcedVersion()
        coding = try ObjectCoding(context.options, context.registry, nil)
        log = context.log
    }
}
