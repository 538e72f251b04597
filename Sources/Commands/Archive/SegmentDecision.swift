// Which archives a segment is to be stored in, from what they have of it.

import BackstopCore

struct SegmentDecision: Sendable {
    /// The archives that want it.
    private(set) var targets: [ArchiveTarget] = []
    /// Of the repositories of which that is not known.
    private(set) var failures: [String]

    private let file: WALFile
    private let settings: PushSettings

    /// `opened`: as `ArchiveTargets.usable` answers. `header`: nil when it was not looked at.
    /// Throws `.archiveMismatch` (44) for WAL of another cluster and `.archiveDuplicate` (45) when an archive has another segment of this
    /// name: then no repository gets it.
    init(
        _ file: WALFile, _ content: SegmentContent, _ header: WALHeader?, _ opened: (targets: [ArchiveTarget], failures: [String]),
        _ settings: PushSettings
    ) async throws(BackupError) {
        self.file = file
        self.settings = settings
        failures = opened.failures
        if let header { try require(header, isOf: opened.targets[0].database) }
        for target in opened.targets {
            do throws(BackupError) {
                if let found = try await find(target) {
                    try await accept(found, in: target.repository, content.sha1)
                } else {
                    targets.append(target)
                }
            } catch  where error.code != .cancelled && error.code != .archiveDuplicate {
                failures.append(error.text(of: target.repository.name))
            }
        }
    }

    /// nil when the repository does not want the segment, or failed.
    func target(in repository: StanzaRepository) -> ArchiveTarget? { targets.first { $0.repository.index == repository.index } }

    private func require(_ header: WALHeader, isOf database: DatabaseHistory.Database) throws(BackupError) {
        guard header.identity == database.identity else {
            throw BackupError(
                .archiveMismatch,
                "WAL file '\(file.path)' version \(header.version), system-id \(header.systemID) do not match stanza version"
                    + " \(database.version), system-id \(database.systemID)",
                hint: "are you archiving to the correct stanza?")
        }
    }

    private func find(_ target: ArchiveTarget) async throws(BackupError) -> ArchivedSegment? {
        let found = try await target.archive.find(file.name, target.database.archiveID)
        guard found.count <= 1 else {
            throw BackupError(
                .repoInvalid,
                "duplicates found in the archive for WAL segment \(file.name): " + found.map(\.key.path).joined(separator: ", "),
                hint: "are multiple primaries archiving to this stanza?")
        }
        return found.first
    }

    /// What is there already is what was to be pushed.
    private func accept(_ found: ArchivedSegment, in repository: StanzaRepository, _ digest: String) async throws(BackupError) {
        guard found.sha1 == digest else {
            throw BackupError(
                .archiveDuplicate, "WAL file '\(file.name)' already exists in the \(repository.name) archive with a different checksum",
                hint: "are multiple primaries archiving to this stanza?")
        }
        // A run that was killed may have put it there without making its name durable.
        try await repository.storage.sync(found.key.parent)
        if settings.checksMode {
            settings.log.warn(
                "WAL file '\(file.name)' already exists in the \(repository.name) archive with the same checksum"
                    + "\nHINT: this is valid in some recovery scenarios but may also indicate a problem.")
        }
    }
}
