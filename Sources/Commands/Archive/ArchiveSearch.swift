// Which repositories have a file of the WAL.

import BackstopCore

/// A stored file that may be what is wanted.
struct ArchiveMatch: Sendable {
    var repository: StanzaRepository
    var archiveID: String
    var seal: Seal?
    var key: Key
    /// Of a segment: what its name says of its content.
    var sha1: String?

    var shown: String { "\(repository.name): \(archiveID)/\(key.name)" }

    /// The archive's key may have been changed since its keys were read. nil when they are the same.
    func withNewerKeys() async -> ArchiveMatch? {
        guard let info = try? await repository.archiveInfo(), let keys = info.seal?.keys, keys != seal?.keys else { return nil }
        var match = self
        match.seal = info.seal
        return match
    }
}

/// Why it is not known whether a repository has a file, or why the file cannot be had from it.
struct ArchiveProblem: Sendable {
    var code: BackupError.Code
    /// Names the repository.
    var text: String
}

/// What all repositories answered. Only when none of them has a problem, an empty list of matches means that the file is not there.
struct ArchiveSearch: Sendable {
    /// In the order of repositories and, in each, of newest history first.
    private(set) var matches: [ArchiveMatch] = []
    private(set) var problems: [ArchiveProblem] = []

    /// `control`: of the cluster that wants it.
    init(_ name: String, _ context: RunContext, _ control: ControlFile) async throws(BackupError) {
        var repositories: [StanzaRepository] = []
        for index in context.repositories {
            do throws(BackupError) {
                repositories.append(try await StanzaRepository.open(index, context))
            } catch  where error.code != .cancelled {
                problems.append(ArchiveProblem(code: error.code, text: error.text(of: "repo\(index)")))
            }
        }
        let archives = await StanzaArchive.open(repositories, for: name, of: control)
        for (repository, archive) in zip(repositories, archives) {
            do throws(BackupError) {
                matches += try await Self.find(name, try archive.get(), control)
            } catch  where error.code != .cancelled {
                problems.append(ArchiveProblem(code: error.code, text: error.text(of: repository.name)))
            }
        }
    }

    private static func find(
        _ name: String, _ archive: StanzaArchive, _ control: ControlFile
    ) async throws(BackupError) -> [ArchiveMatch] {
        let databases = archive.info.history.databases.reversed().filter { $0.identity == control.identity }
        guard !databases.isEmpty else {
            throw BackupError(
                .archiveMismatch,
                "unable to retrieve the archive id for database version '\(control.version)' and system-id '\(control.systemID)'",
                hint: "does the stanza belong to the cluster in pg1-path?")
        }
        var matches: [ArchiveMatch] = []
        for database in databases {
            func match(_ key: Key, _ sha1: String?) -> ArchiveMatch {
                ArchiveMatch(
                    repository: archive.repository, archiveID: database.archiveID, seal: archive.info.seal, key: key, sha1: sha1
                )
            }
            if ArchiveFile.isSegment(name) {
                matches += try await archive.find(name, database.archiveID).map { match($0.key, $0.sha1) }
            } else {
                let key = archive.repository.layout.archiveFolder(database.archiveID, of: name) / name
                if try await archive.repository.storage.stat(key) != nil { matches.append(match(key, nil)) }
            }
        }
        return matches
    }
}
