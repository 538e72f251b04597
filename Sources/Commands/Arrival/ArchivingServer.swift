// The server whose WAL is waited for in a repository: what its archiver says, and what it has in pg_wal itself. A copy of the cluster, or
// an old primary that was not stopped, writes segments of the same names, and whose segment is there decides whether a backup can be
// restored.

import BackstopCore

final class ArchivingServer {
    private let session: any DatabaseSession
    private let cluster: ClusterFiles
    private let context: RunContext
    /// A standby: it ends no segment, and in its pg_wal there may be anything behind the end of the WAL.
    private let isStandby: Bool
    /// sha1 of segments in pg_wal that were read already.
    private var digests: [String: String] = [:]
    private var isTold = false

    init(_ session: any DatabaseSession, _ cluster: ClusterFiles, isStandby: Bool = false, _ context: RunContext) {
        self.isStandby = isStandby
        self.session = session
        self.cluster = cluster
        self.context = context
    }

    private var folder: Key { Key(session.version.walFolder) }

    // MARK: What the archiver says

    /// Warns, once, that the archiver fails: nobody shall wait without knowing for what.
    func tellFailure() {
        // Waiting ends by the archive; a server that does not answer any more only cannot explain.
        guard !isStandby, !isTold, let failure = (try? session.archiver())?.failure else { return }
        isTold = true
        context.log.warn(failure + "\nHINT: its errors are in the server's log.")
    }

    /// The time is up: why, as far as the server knows.
    func explained(_ error: BackupError, _ segment: String) -> BackupError {
        guard !isStandby else {
            return BackupError(
                error.code, "\(error.message): its primary has not archived it, and a standby cannot end a WAL segment",
                hint: "does archive_command work on the primary? Set archive_timeout there, or run pg_switch_wal() on it during the backup."
            )
        }
        guard let name = WALSegment(segment), let state = try? session.archiver() else { return error }
        return BackupError(error.code, "\(error.message): \(state.reason(for: name))", hint: error.hint)
    }

    // MARK: What it wrote

    /// Throws `.archiveDuplicate` (45) when what the archive has of a segment is not what this server wrote.
    func prove(_ segment: String, _ found: ArchivedSegment, in repository: StanzaRepository) async throws(BackupError) {
        guard !isStandby else { return }
        let state = (try? session.archiver()) ?? ArchiverState()
        var own = try await digest(segment)
        if state.isForeign(segment, archived: found.sha1, own: own) {
            // It may have been recycled, and written to, while it was read.
            digests[segment] = nil
            own = try await digest(segment)
        }
        guard state.isForeign(segment, archived: found.sha1, own: own) else { return }
        let stored = (try? await repository.storage.stat(found.key))?.modified
        throw BackupError(
            .archiveDuplicate,
            "WAL segment \(segment) in the \(repository.name) archive is not the one that this server wrote: \(found.key) with sha1"
                + " \(found.sha1)" + (stored.map { ", stored at \(localTimeWithZone($0))" } ?? "")
                + (own.map { ", and \(cluster.path)/\(folder)/\(segment) with sha1 \($0)" } ?? ", and this server could not archive its own"),
            hint: "another server with the same system identifier archives into this stanza: a copy of this cluster, or a primary that was"
                + " not stopped when this one was promoted. Backups of one of them cannot be restored."
                + (state.failure.map { "\n\($0)." } ?? "")
                + "\nstop archiving there, or give that cluster a stanza of its own.")
    }

    /// Segments of which the server does not say that they were archived.
    func waiting() async -> Set<String> {
        let entries = (try? await cluster.tree.list(folder / "archive_status")) ?? []
        return Set(entries.map { String($0.key.name) }.filter { $0.hasSuffix(".ready") }.map { String($0.dropLast(6)) })
    }

    /// sha1 of the segment in pg_wal; nil when it is not there any more, or may not be read.
    private func digest(_ segment: String) async throws(BackupError) -> String? {
        if let known = digests[segment] { return known }
        do throws(BackupError) {
            digests[segment] = try await readDigest(folder / segment)
        } catch  where [.notFound, .denied, .unsupported].contains(error.code) {
            return nil
        }
        return digests[segment]
    }

    private func readDigest(_ key: Key) async throws(BackupError) -> String? {
        var block = Block(capacity: BlockSize.standard)
        if let tree = cluster.tree as? any SteppingTree {
            // What travels is of no use; the end of a segment is mostly zeros.
            let packing = context.registry.codecs["lz4"].map { [ChainSpec.Step.compress(codec: $0.name, level: 1, .normal)] } ?? []
            let spec = ChainSpec(steps: [.checksum("sha1")] + packing)
            let steps = FarSteps(["steps": spec.wire])
            var source = try await tree.open(key, range: nil, through: steps)
            try await source.drain(&block)
            return try ChainFindings(wire: steps.findings, of: spec, most: .max, segment: 0, file: key.path).digest
        }
        let sha1 = try context.registry.checksum("sha1").make()
        var flow = try Flow(try await cluster.tree.open(key), Chain([.tap(sha1)]))
        try await flow.drain(&block)
        return sha1.digest.description
    }
}
