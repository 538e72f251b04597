// archive-get: one file of the WAL from the first repository that has it (repository-format.md section 9.5).

import BackstopCore
import Glibc

struct ArchiveGet {
    private let context: RunContext
    private let stanza: String
    private let name: String
    private let destination: String

    /// A stored file that may be what is wanted.
    private struct Match {
        var repository: Repository
        var archiveID: String
        var seal: Seal?
        var key: Key
        var sha1: String?
    }

    /// False when no repository has the file: PostgreSQL then takes it for the end of the archive.
    static func run(_ context: RunContext) async throws(BackupError) -> Bool {
        try await ArchiveGet(context).run()
    }

    private init(_ context: RunContext) throws(BackupError) {
        self.context = context
        stanza = try context.stanza()
        guard let name = context.positional.first else {
            throw BackupError(
                .parameterRequired, "WAL segment to get required",
                hint: "restore_command = '\(Program.name) --stanza=\(stanza) archive-get %f \"%p\"'")
        }
        guard context.positional.count > 1 else {
            throw BackupError(
                .parameterRequired, "path to copy WAL segment required",
                hint: "restore_command = '\(Program.name) --stanza=\(stanza) archive-get %f \"%p\"'")
        }
        _ = try Key(checking: name)
        self.name = name
        let path = context.positional[1]
        if path.hasBytes("/") {
            destination = path
        } else {
            let data = try context.options.required("pg-path", 1)
            destination = "\(data)/\(path)"
        }
    }

    private func run() async throws(BackupError) -> Bool {
        let cluster = try ClusterFiles(context, path: try context.options.required("pg-path", 1))
        let control = try await cluster.control()
        if control.checkpoint == ControlFile.impossibleCheckpoint, try await !cluster.exists("backup_label") {
            throw BackupError(
                .format, "pg_control from backup is not valid without backup_label",
                hint: "was the backup_label file removed?\nrestore again and let recovery run with the backup_label in place.")
        }
        var failures: [String] = []
        let matches = try await findMatches(control, &failures)
        if matches.isEmpty {
            guard failures.isEmpty else {
                throw BackupError(.repoInvalid, "unable to find a valid repository:\n" + failures.joined(separator: "\n"))
            }
            context.log.info("unable to find \(name) in the archive")
            return false
        }
        for failure in failures { context.log.warn(failure) }
        let distinct = Set(matches.compactMap(\.sha1))
        if distinct.count > 1 {
            throw BackupError(
                .archiveDuplicate,
                "duplicates found for WAL segment \(name):\n"
                    + matches.map { "\($0.repository.name): \($0.archiveID)/\($0.key.name)" }.joined(separator: "\n"),
                hint: "are multiple primaries archiving to this stanza?")
        }
        var problems: [String] = []
        for match in matches {
            do throws(BackupError) {
                try await copy(match, atMost: mostBytes(control))
                for problem in problems { context.log.warn(problem) }
                context.log.info("found \(name) in the \(match.repository.name): \(match.archiveID) archive")
                return true
            } catch  where error.code != .full && error.code != .denied && error.code != .cancelled {
                problems.append("\(match.repository.name): \(match.archiveID)/\(match.key.name) \(error)")
            }
        }
        throw BackupError(.fileRead, "unable to get \(name):\n" + problems.joined(separator: "\n"))
    }

    /// All files that could be the one, in the order of repositories and, in each, of newest history first.
    private func findMatches(_ control: ControlFile, _ failures: inout [String]) async throws(BackupError) -> [Match] {
        var repositories: [Repository] = []
        for index in try Repository.selectedIndexes(context) {
            do throws(BackupError) {
                repositories.append(try await Repository.open(index, context))
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: "repo\(index)"))
            }
        }
        var matches: [Match] = []
        var usable = false
        let archives = await StanzaArchive.open(repositories, stanza, for: name, of: control, context.log)
        for (repository, archive) in zip(repositories, archives) {
            do throws(BackupError) {
                let archive = try archive.get()
                let ids = archive.info.history.databases.reversed().filter {
                    $0.systemID == control.systemID && $0.version == control.version.description
                }
                guard !ids.isEmpty else {
                    throw BackupError(
                        .archiveMismatch,
                        "unable to retrieve the archive id for database version '\(control.version)' and system-id '\(control.systemID)'",
                        hint: "does the stanza belong to the cluster in pg1-path?")
                }
                for database in ids { matches += try await find(archive, database) }
                usable = true
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: repository.name))
            }
        }
        // With a repository that answered, what the others say does not matter: the file is not there.
        if usable && matches.isEmpty {
            for failure in failures { context.log.warn(failure) }
            failures = []
        }
        return matches
    }

    private func find(_ archive: StanzaArchive, _ database: DatabaseHistory.Database) async throws(BackupError) -> [Match] {
        let repository = archive.repository
        func match(_ key: Key, _ sha1: String?) -> Match {
            Match(repository: repository, archiveID: database.archiveID, seal: archive.info.seal, key: key, sha1: sha1)
        }
        if ArchiveFile.isSegment(name) {
            return try await archive.find(name, database.archiveID).map { match($0.key, $0.sha1) }
        }
        let key = Layout.archiveFolder(stanza, database.archiveID, of: name) / name
        return try await repository.storage.stat(key) == nil ? [] : [match(key, nil)]
    }

    /// Of the file: what comes out of a damaged one shall not fill the folder of a running standby.
    private func mostBytes(_ control: ControlFile) -> UInt64 {
        ArchiveFile.isSegment(name) ? UInt64(control.segmentSize) : Self.largestOther
    }

    /// Bytes; a history of 100,000 timelines has fewer.
    private static let largestOther: UInt64 = 16 << 20

    /// The checksum in a segment's name is verified, which the peer does not do: a damaged segment must not reach recovery.
    private func copy(_ match: Match, atMost limit: UInt64) async throws(BackupError) {
        let repository = match.repository
        let tree = context.openTree("")
        // The folder may be a link, as pg_wal often is: the root of a tree is looked at behind it.
        guard try await context.openTree("/" + Key(absolute: destination).parent.path).stat(.root)?.kind == .folder else {
            throw BackupError(
                .denied, "unable to get \(name) to '\(destination)': the folder does not exist",
                hint: "restore_command must pass the path: \"%p\"")
        }
        let codec =
            match.sha1 == nil ? try repository.registry.codec("none") : try Decoding.codec(ofFile: match.key.name, repository.registry)
        let steps = try Decoding(codec: codec, seal: match.seal).steps(.normal)
        let stored: any ByteSource & ~Copyable
        do throws(BackupError) {
            stored = try await repository.storage.open(match.key)
        } catch  where error.code != .cancelled {
            // Whatever it is, it concerns this repository only: the next one may have a good copy.
            throw BackupError(.fileRead, error.message, hint: error.hint)
        }
        let expect = Expect(try repository.sha1())
        expect.next(digest: match.sha1, size: nil)
        // Recovery waits for each segment: a second core makes up for the time it takes to verify. It gets the checksum too where
        // decoding takes less time than writing.
        let hashesAhead = codec.name == "none"
        let ahead = try ReadAhead(try Flow(stored, Chain(steps + (hashesAhead ? [.tap(expect)] : []))))
        var flow = BoundedSource(try Flow(ahead, Chain(hashesAhead ? [] : [.tap(expect)])), atMost: limit)
        // Not durable: PostgreSQL asks again after a crash.
        _ = try await tree.put(Key(absolute: destination), from: &flow, PutOptions(.never, attributes: Attributes(mode: 0o600)))
    }
}
