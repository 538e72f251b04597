// The archives that WAL goes to: opened once, asked for one file after the other.

import BackstopCore

/// An archive that belongs to the cluster, opened for the sake of one file.
struct ArchiveTarget: Sendable {
    let archive: StanzaArchive

    var repository: StanzaRepository { archive.repository }
    var database: DatabaseHistory.Database { archive.info.history.current }
}

struct ArchiveTargets: Sendable {
    let repositories: [StanzaRepository]
    /// Of repositories that could not be opened.
    let failures: [String]
    /// pg_control of the cluster whose WAL it is; nil when it is not known where that is. A failure is told when it is known that there is a
    /// repository to push to.
    let control: Result<ControlFile, BackupError>?

    static func open(_ context: RunContext) async throws(BackupError) -> ArchiveTargets {
        var repositories: [StanzaRepository] = []
        var failures: [String] = []
        for index in context.repositories {
            do throws(BackupError) {
                repositories.append(try await StanzaRepository.open(index, context))
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: "repo\(index)"))
            }
        }
        var control: Result<ControlFile, BackupError>?
        if let data = context.options[PostgresOptions.path, 1] {
            control = await Result { () async throws(BackupError) in try await ClusterFiles(context, path: data).control() }
        }
        return ArchiveTargets(repositories: repositories, failures: failures, control: control)
    }

    /// Where a new stanza keeps the WAL of the cluster; nil: not known.
    var likelyID: String? { (try? control?.get()).map { Layout.archiveID($0.version, id: 1) } }

    /// The archives that belong to the cluster or, when it is not known, to that of the first repository; and why the others cannot be used.
    /// Throws when none is left: `.format` (29) when all are of a format that is not written here.
    func usable(for name: String) async throws(BackupError) -> (targets: [ArchiveTarget], failures: [String]) {
        var targets: [ArchiveTarget] = []
        var failures = failures
        var refused = 0
        let archives = await StanzaArchive.open(repositories, for: name, of: try? control?.get())
        for (repository, archive) in zip(repositories, archives) {
            do throws(BackupError) {
                let archive = try archive.get()
                if archive.info.format != RepositoryFormat.written { refused += 1 }
                try repository.requireWritten(archive.info.format)
                targets.append(ArchiveTarget(archive: archive))
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: repository.name))
            }
        }
        if let first = targets.first {
            let expected = try control?.get().identity ?? first.database.identity
            targets = targets.filter { target in
                if target.database.identity == expected { return true }
                failures.append(Self.mismatch(target, expected))
                return false
            }
        }
        guard !targets.isEmpty else {
            throw BackupError(
                refused == failures.count ? .format : .repoInvalid,
                "unable to find a valid repository:\n" + failures.joined(separator: "\n"))
        }
        return (targets, failures)
    }

    private static func mismatch(_ target: ArchiveTarget, _ expected: ClusterIdentity) -> String {
        let (name, database) = (target.repository.name, target.database)
        return "\(name): [ArchiveMismatchError] PostgreSQL version \(expected.version), system-id \(expected.systemID)"
            + " do not match \(name) stanza version \(database.version), system-id \(database.systemID)"
            + "\nHINT: are you archiving to the correct stanza?"
    }
}
