// What the user decided about pushing WAL segments, as values.

import BackstopCore

/// Read once for any number of segments. What cannot be used is told by who needs it: a segment that is there already needs no codec.
struct PushSettings: Sendable {
    /// Whether the header of a segment is looked at.
    let checksHeader: Bool
    /// Whether a segment that is there already is worth a warning.
    let checksMode: Bool
    /// For forks whose version numbers are unknown.
    let forcedVersion: Result<PostgresVersion?, BackupError>
    /// The compression; what a repository is encrypted with is its own.
    let coding: Result<ObjectCoding, BackupError>
    /// Of the digest that a stored segment has in its name.
    let sha1: any ChecksumProvider
    /// Bytes of a compressed segment that are kept for several repositories.
    var mostInMemory = CompressedSegment.most
    let log: Log
}

extension PushSettings {
    /// Throws `.unsupported` when sha1 is not allowed here.
    init(_ context: RunContext) throws(BackupError) {
        self.init(
            checksHeader: context.options[ArchiveOptions.headerCheck], checksMode: context.options[ArchiveOptions.modeCheck],
            forcedVersion: Result { () throws(BackupError) in try context.forcedVersion() },
            coding: Result { () throws(BackupError) in try ObjectCoding(context.options, context.registry, nil) },
            sha1: try context.registry.checksum("sha1"), log: context.log)
    }
}
