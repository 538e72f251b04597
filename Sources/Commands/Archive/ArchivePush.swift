// archive-push: one file of the WAL into every repository, durable before success is told (repository-format.md section 9.3).

import BackstopCore
import Glibc

struct ArchivePush: Sendable {
    fileprivate let context: RunContext
    fileprivate let stanza: String
    private let path: String
    fileprivate let name: String

    static func run(_ context: RunContext) async throws(BackupError) {
        try await ArchivePush(context).run()
    }

    private init(_ context: RunContext) throws(BackupError) {
        self.context = context
        stanza = try context.stanza()
        guard let argument = context.positional.first else {
            throw BackupError(
                .parameterRequired, "WAL segment to push required",
                hint: "archive_command = '\(Program.name) --stanza=\(stanza) archive-push %p'")
        }
        path = try Self.absolute(argument, context.options)
        name = String(Key(path).name)
    }

    /// PostgreSQL gives a path relative to PGDATA, and runs the command there.
    private static func absolute(_ path: String, _ options: Options) throws(BackupError) -> String {
        if path.hasBytes("/") { return path }
        guard let data = options.string("pg-path", 1) else {
            throw BackupError(
                .optionRequired, "option 'pg1-path' must be specified when relative wal paths are used", hint: "is %f passed instead of %p?"
            )
        }
        let working = getcwd(nil, 0)
        defer { free(working) }
        var here = stat()
        var there = stat()
        guard stat(".", &here) == 0, stat(data, &there) == 0, here.st_ino == there.st_ino, here.st_dev == there.st_dev else {
            throw BackupError(
                .optionInvalidValue,
                "PostgreSQL working directory '\(working.map { String(cString: $0) } ?? "?")' is not the same as option pg1-path '\(data)'",
                hint: "is the PostgreSQL data_directory configured the same as the pg1-path option?")
        }
        return "\(data)/\(path)"
    }

    private func run() async throws(BackupError) {
        try StopFile.check(stanza, context)
        if let waiting = try await queueOverflow() {
            context.log.warn("dropped WAL file '\(name)' because archive queue exceeded \(waiting)")
            return
        }
        let tree = context.openTree("")
        let file = Key(absolute: path)
        guard try await tree.stat(file)?.kind == .file else {
            throw BackupError(.fileMissing, "WAL file '\(path)' does not exist", hint: "archive_command must pass the path of the file: %p")
        }

        var failures: [String] = []
        var targets: [ArchiveTarget] = []
        let repositories = try await openRepositories(&failures)
        let control = await clusterControl()
        let guess = likelyArchiveID(control)
        // All at a time: a repository far away costs its round trips, not those of the others.
        let opened = await withTaskGroup(of: (Int, Result<ArchiveTarget, BackupError>).self) { group in
            for (index, repository) in repositories.enumerated() {
                group.addTask { (index, await ArchiveTarget.open(repository, self, guess)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (index, repository) in repositories.enumerated() {
            do throws(BackupError) {
                if let target = opened[index] { targets.append(try target.get()) }
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: repository.name))
            }
        }
        targets = try checkCluster(targets, control, &failures)
        guard !targets.isEmpty else {
            throw BackupError(.repoInvalid, "unable to find a valid repository:\n" + failures.joined(separator: "\n"))
        }
        if ArchiveFile.isSegment(name) {
            try await checkHeader(tree, file, targets)
            try await pushSegment(tree, file, targets, &failures)
        } else {
            try await pushPlain(tree, file, targets, &failures)
        }
        guard failures.isEmpty else {
            throw BackupError(.commandFailed, "archive-push command encountered error(s):\n" + failures.joined(separator: "\n"))
        }
        context.log.info("pushed WAL file '\(name)' to the archive")
    }

    /// nil without pg1-path. An error is told when it is known that there is a repository to push to.
    private func clusterControl() async -> Result<ControlFile, BackupError>? {
        guard let data = context.options.string("pg-path", 1) else { return nil }
        do throws(BackupError) {
            return .success(try await ClusterFiles(context, path: data).control())
        } catch {
            return .failure(error)
        }
    }

    /// The archive that the stanza's current cluster most likely has, so that it can be looked at before archive.info is known.
    private func likelyArchiveID(_ control: Result<ControlFile, BackupError>?) -> String? {
        guard ArchiveFile.isSegment(name), case .success(let control)? = control else { return nil }
        return Layout.archiveID(version: control.version.description, id: 1)
    }

    private func openRepositories(_ failures: inout [String]) async throws(BackupError) -> [Repository] {
        var repositories: [Repository] = []
        for index in context.options.indexes(.repo) {
            do throws(BackupError) {
                repositories.append(try await Repository.open(index, context))
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: "repo\(index)"))
            }
        }
        return repositories
    }

    /// The queue's size as text when it is over `archive-push-queue-max` and WAL is to be dropped to save the disk.
    private func queueOverflow() async throws(BackupError) -> String? {
        guard let limit = context.options.number("archive-push-queue-max") else { return nil }
        let tree = context.openTree(String(Key(path).parent.path))
        let ready = try await tree.list(Key("archive_status")).filter { $0.key.path.hasSuffix(".ready") }
        guard let first = ready.first else { return nil }
        let size = try await tree.stat(Key(String(first.key.name.dropLast(6))))?.size ?? 0
        return size * UInt64(ready.count) > UInt64(limit) ? sizeText(UInt64(limit)) : nil
    }

    /// Leaves the targets that belong to the cluster: the one of pg1-path, or that of the first repository.
    private func checkCluster(
        _ targets: [ArchiveTarget], _ control: Result<ControlFile, BackupError>?, _ failures: inout [String]
    ) throws(BackupError) -> [ArchiveTarget] {
        guard let first = targets.first else { return [] }
        var expected = (systemID: first.database.systemID, version: first.database.version)
        if let control = try control?.get() {
            expected = (control.systemID, control.version.description)
        }
        return targets.filter { target in
            if target.database.systemID == expected.systemID && target.database.version == expected.version { return true }
            failures.append(
                "\(target.repository.name): [ArchiveMismatchError] PostgreSQL version \(expected.version), system-id \(expected.systemID)"
                    + " do not match \(target.repository.name) stanza version \(target.database.version), system-id \(target.database.systemID)"
                    + "\nHINT: are you archiving to the correct stanza?")
            return false
        }
    }

    private func checkHeader(_ tree: any FileTree, _ file: Key, _ targets: [ArchiveTarget]) async throws(BackupError) {
        guard context.options.optionalFlag("archive-header-check") ?? true, let database = targets.first?.database else { return }
        var source = try await tree.open(file, range: 0..<UInt64(WALHeader.byteCount))
        let header: WALHeader
        do throws(BackupError) {
            header = try WALHeader(try await source.readAll(), forced: try context.forcedVersion())
        } catch {
            throw error.during("WAL file '\(path)'")
        }
        guard header.systemID == database.systemID, header.version.description == database.version else {
            throw BackupError(
                .archiveMismatch,
                "WAL file '\(path)' version \(header.version), system-id \(header.systemID) do not match stanza version \(database.version),"
                    + " system-id \(database.systemID)",
                hint: "are you archiving to the correct stanza?")
        }
    }

    private func pushSegment(
        _ tree: any FileTree, _ file: Key, _ targets: [ArchiveTarget], _ failures: inout [String]
    ) async throws(BackupError) {
        let before = try await tree.stat(file)
        let sha1 = try targets[0].repository.sha1()
        var check = try Flow(try await tree.open(file), Chain([.tap(sha1)]))
        var block = Block(capacity: 1 << 18)
        try await check.drain(&block)
        let digest = sha1.digest.description

        var pending: [ArchiveTarget] = []
        for target in targets {
            let found: [ArchivedSegment]
            do throws(BackupError) {
                found = try await target.find(name, stanza)
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: target.repository.name))
                continue
            }
            if found.count > 1 {
                failures.append(
                    "\(target.repository.name): [ArchiveDuplicateError] duplicates found in the archive for WAL segment \(name): "
                        + found.map(\.key.path).joined(separator: ", ") + "\nHINT: are multiple primaries archiving to this stanza?")
            } else if let found = found.first {
                guard found.sha1 == digest else {
                    throw BackupError(
                        .archiveDuplicate,
                        "WAL file '\(name)' already exists in the \(target.repository.name) archive with a different checksum",
                        hint: "are multiple primaries archiving to this stanza?")
                }
                // A run that was killed may have put it there without making its name durable.
                try await target.repository.storage.sync(found.key.parent)
                if context.options.optionalFlag("archive-mode-check") ?? true {
                    context.log.warn(
                        "WAL file '\(name)' already exists in the \(target.repository.name) archive with the same checksum"
                            + "\nHINT: this is valid in some recovery scenarios but may also indicate a problem.")
                }
            } else {
                pending.append(target)
            }
        }
        var stored: [(ArchiveTarget, Key)] = []
        for target in pending {
            let encoding = try target.encoding(context.options)
            let key = target.folder(stanza, name) / "\(name)-\(digest)\(encoding.codec.suffix)"
            if try await put(tree, file, target, key, try encoding.steps(), &failures) { stored.append((target, key)) }
        }
        // The checksum in the name must be that of the bytes that were stored.
        guard try await tree.stat(file) == before else {
            for (target, key) in stored { try await target.repository.storage.remove(key) }
            throw BackupError(
                .fileRead, "WAL file '\(path)' changed while it was pushed",
                hint: "archive_command is for PostgreSQL, which runs it for complete segments only.")
        }
    }

    private func pushPlain(
        _ tree: any FileTree, _ file: Key, _ targets: [ArchiveTarget], _ failures: inout [String]
    ) async throws(BackupError) {
        for target in targets {
            var steps: [Step] = []
            if let cipher = target.repository.cipher, let passphrase = target.passphrase {
                steps.append(.transform(try cipher.open(passphrase, .normal).encoder()))
            }
            _ = try await put(tree, file, target, target.folder(stanza, name) / name, steps, &failures)
        }
    }

    /// Whether it was stored; a failure of one repository does not keep the file from the others.
    private func put(
        _ tree: any FileTree, _ file: Key, _ target: ArchiveTarget, _ key: Key, _ steps: [Step], _ failures: inout [String]
    ) async throws(BackupError) -> Bool {
        do throws(BackupError) {
            var flow = try Flow(try await tree.open(file), Chain(steps))
            _ = try await target.repository.storage.put(key, from: &flow, PutOptions())
            return true
        } catch  where error.code != .cancelled {
            failures.append(error.text(of: target.repository.name))
            return false
        }
    }
}

/// A repository that WAL goes to.
private struct ArchiveTarget: Sendable {
    let repository: Repository
    let database: DatabaseHistory.Database
    let passphrase: String?

    /// What an archive has of the segment, when that was asked for before it was known to be the current one.
    private var listed: [ArchivedSegment]?

    /// Reads archive.info and, in the same round trip, what the archive with the likely id has.
    static func open(_ repository: Repository, _ push: ArchivePush, _ guess: String?) async -> Result<ArchiveTarget, BackupError> {
        async let listing = list(repository, push, guess)
        do throws(BackupError) {
            let info = try await ArchiveInfo.required(repository, push.stanza, push.context.log)
            var target = ArchiveTarget(repository: repository, database: info.history.current, passphrase: info.passphrase)
            if let guess, guess == target.database.archiveID, let found = await listing { target.listed = found }
            return .success(target)
        } catch {
            return .failure(error)
        }
    }

    /// nil when it fails: whoever needs it asks again, and has the error.
    private static func list(_ repository: Repository, _ push: ArchivePush, _ guess: String?) async -> [ArchivedSegment]? {
        guard let guess else { return nil }
        return try? await ArchiveFile.find(push.name, repository, push.stanza, guess)
    }

    func find(_ name: String, _ stanza: String) async throws(BackupError) -> [ArchivedSegment] {
        if let listed { return listed }
        return try await ArchiveFile.find(name, repository, stanza, database.archiveID)
    }

    func folder(_ stanza: String, _ name: String) -> Key { Layout.archiveFolder(stanza, database.archiveID, of: name) }

    func encoding(_ options: Options) throws(BackupError) -> Encoding { try Encoding(options, repository, passphrase: passphrase) }
}

extension ArchiveInfo {
    /// Loads it or says what to do when there is none.
    static func required(_ repository: Repository, _ stanza: String, _ log: Log) async throws(BackupError) -> ArchiveInfo {
        guard let info = try await load(repository, stanza, log) else {
            throw BackupError(
                .fileMissing,
                "\(repository.name): '\(repository.storage.location)/\(Layout.archiveInfo(stanza))' does not exist, nor does its copy",
                hint: "archive.info cannot be opened but is required to push/get WAL segments."
                    + "\nhas a stanza-create been performed?"
                    + "\nuse --stanza to name another stanza, --\(repository.name)-path another repository.")
        }
        return info
    }
}
