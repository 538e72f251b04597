// archive-push: one file of the WAL into every repository, durable before success is told (repository-format.md section 9.3).

import BackstopCore

struct ArchivePush: Sendable {
    let context: RunContext
    let stanza: String
    let path: String
    let name: String

    static func run(_ context: RunContext) async throws(BackupError) {
        try await ArchivePush(context).run()
    }

    private init(_ context: RunContext) throws(BackupError) {
        self.context = context
        stanza = try context.stanza()
        path = try ServerPath.absolute(context.positional[0], context.options)
        name = String(Key(path).name)
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
        let repositories = try await openRepositories(&failures)
        failures +=
            ArchiveFile.isSegment(name)
            ? try await SegmentPush(self, tree, file).run(repositories, failures)
            : try await PlainPush(self, tree, file).run(repositories, failures)
        guard failures.isEmpty else {
            throw BackupError(.commandFailed, "archive-push command encountered error(s):\n" + failures.joined(separator: "\n"))
        }
        context.log.info("pushed WAL file '\(name)' to the archive")
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
        guard let limit = context.options[ArchiveOptions.pushQueueMax] else { return nil }
        let tree = context.openTree(String(Key(path).parent.path))
        let ready = try await tree.list(Key("archive_status")).filter { $0.key.path.hasSuffix(".ready") }
        guard let first = ready.first else { return nil }
        let size = try await tree.stat(Key(String(first.key.name.dropLast(6))))?.size ?? 0
        return size * UInt64(ready.count) > UInt64(limit) ? sizeText(UInt64(limit)) : nil
    }

    /// The cluster of pg1-path; nil without that option. A failure is told when it is known that there is a repository to push to.
    func clusterControl() async -> Result<ControlFile, BackupError>? {
        guard let data = context.options[PostgresOptions.path, 1] else { return nil }
        return await Result { () async throws(BackupError) in try await ClusterFiles(context, path: data).control() }
    }

    /// Opens the archives and leaves those that belong to the cluster of `control` or, without it, to that of the first repository.
    /// `failures`: of repositories that could not even be opened. Throws when no archive is left.
    func openTargets(
        _ repositories: [Repository], _ control: Result<ControlFile, BackupError>?, _ failures: [String]
    ) async throws(BackupError) -> (usable: [ArchiveTarget], failures: [String]) {
        var targets: [ArchiveTarget] = []
        var failures = failures
        let archives = await StanzaArchive.open(repositories, stanza, for: name, of: try? control?.get(), context.log)
        for (repository, archive) in zip(repositories, archives) {
            do throws(BackupError) {
                targets.append(ArchiveTarget(archive: try archive.get()))
            } catch  where error.code != .cancelled {
                failures.append(error.text(of: repository.name))
            }
        }
        if let first = targets.first {
            var expected = (systemID: first.database.systemID, version: first.database.version)
            if let control = try control?.get() { expected = (control.systemID, control.version.description) }
            targets = targets.filter { target in
                let name = target.repository.name
                let database = target.database
                if database.systemID == expected.systemID && database.version == expected.version { return true }
                failures.append(
                    "\(name): [ArchiveMismatchError] PostgreSQL version \(expected.version), system-id \(expected.systemID)"
                        + " do not match \(name) stanza version \(database.version), system-id \(database.systemID)"
                        + "\nHINT: are you archiving to the correct stanza?")
                return false
            }
        }
        guard !targets.isEmpty else {
            throw BackupError(.repoInvalid, "unable to find a valid repository:\n" + failures.joined(separator: "\n"))
        }
        return (targets, failures)
    }
}

/// An archive that WAL goes to.
struct ArchiveTarget: Sendable {
    let archive: StanzaArchive

    var repository: Repository { archive.repository }
    var database: DatabaseHistory.Database { archive.info.history.current }
}
