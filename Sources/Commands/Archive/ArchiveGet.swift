// archive-get: one file of the WAL from the first repository that has it (repository-format.md section 9.5).

import BackstopCore

struct ArchiveGet {
    private let context: RunContext
    private let name: String
    /// Absolute.
    private let destination: String

    /// What an attempt comes to.
    private enum Answer {
        case delivered
        /// All repositories answered that they do not have it.
        case missing
        case unknown([ArchiveProblem], BackupError)
    }

    /// False when no repository has the file: PostgreSQL then takes it for the end of the archive. Throws when that is not known.
    static func run(_ context: RunContext) async throws(BackupError) -> Bool {
        try await ArchiveGet(context).run()
    }

    private init(_ context: RunContext) throws(BackupError) {
        self.context = context
        name = context.positional[0]
        _ = try Key(checking: name)
        destination = try ServerPath.absolute(context.positional[1], context.options)
    }

    private func run() async throws(BackupError) -> Bool {
        let data = try context.options.required(PostgresOptions.path, 1)
        let cluster = try ClusterFiles(context, path: data)
        let control = try await cluster.control()
        if control.checkpoint == ControlFile.impossibleCheckpoint, try await !cluster.exists("backup_label") {
            throw BackupError(
                .format, "pg_control from backup is not valid without backup_label",
                hint: "was the backup_label file removed?\nrestore again and let recovery run with the backup_label in place.")
        }
        // A standby has other sources, and asks again by itself.
        let patience = RecoveryStatus.isStandby(data) ? .zero : context.options[ArchiveOptions.timeout]
        var again = AskingAgain(patience: patience)
        let begin = ContinuousClock.now
        while true {
            switch try await attempt(control) {
            case .delivered: return true
            case .missing:
                context.log.info("unable to find \(name) in the archive")
                return false
            case .unknown(let problems, let error):
                guard let wait = again.next(after: problems.map(\.code), elapsed: ContinuousClock.now - begin) else { throw error }
                // Said once: PostgreSQL's log has to last for an outage.
                let text = "\(error.message)\nthe repositories are asked again for up to \(patience)"
                if again.attempts == 1 { context.log.warn(text) } else { context.log.detail(text) }
                try await pause(wait)
            }
        }
    }

    private func attempt(_ control: ControlFile) async throws(BackupError) -> Answer {
        let search = try await ArchiveSearch(name, context, control)
        if Set(search.matches.compactMap(\.sha1)).count > 1 {
            throw BackupError(
                .archiveDuplicate,
                "duplicates found for WAL segment \(name):\n" + search.matches.map(\.shown).joined(separator: "\n"),
                hint: "are multiple primaries archiving to this stanza?")
        }
        var problems = search.problems
        for match in search.matches {
            if let problem = try await copy(match, atMost: mostBytes(control)) {
                problems.append(problem)
                continue
            }
            for problem in problems { context.log.warn(problem.text) }
            context.log.info("found \(name) in the \(match.repository.name): \(match.archiveID) archive")
            return .delivered
        }
        if problems.isEmpty { return .missing }
        let texts = problems.map(\.text).joined(separator: "\n")
        if !search.matches.isEmpty {
            return .unknown(
                problems,
                BackupError(
                    .fileRead, "unable to get \(name):\n\(texts)",
                    hint: "archive-get-failure=continue ends a recovery before this file: all WAL from here on is lost then."))
        }
        return .unknown(
            problems,
            BackupError(
                .repoInvalid, "unable to find a valid repository: it is not known whether \(name) is in the archive:\n\(texts)",
                hint: "a repository that is gone for good has to be taken out of the configuration of this host."))
    }

    /// Of the file: what comes out of a damaged one shall not fill the folder of a running standby.
    private func mostBytes(_ control: ControlFile) -> UInt64 {
        ArchiveFile.isSegment(name) ? UInt64(control.segmentSize) : UInt64(PresentFile.largest)
    }

    /// nil when it is done. The checksum in a segment's name is verified, which the peer does not do: a damaged segment must not reach
    /// recovery. Throws what no other repository could mend. `looksForKeys`: whether archive.info is read again for what its keys do not open.
    private func copy(_ match: ArchiveMatch, atMost limit: UInt64, looksForKeys: Bool = true) async throws(BackupError) -> ArchiveProblem? {
        let repository = match.repository
        // The folder may be a link, as pg_wal often is: the root of a tree is looked at behind it.
        guard try await context.openTree("/" + Key(absolute: destination).parent.path).stat(.root)?.kind == .folder else {
            throw BackupError(
                .denied, "unable to get \(name) to '\(destination)': the folder does not exist",
                hint: "restore_command must pass the path: \"%p\"")
        }
        func problem(_ error: BackupError) -> ArchiveProblem { ArchiveProblem(code: error.code, text: "\(match.shown) \(error)") }
        let stored: any ByteSource & ~Copyable
        do throws(BackupError) {
            stored = try await repository.storage.open(match.key)
        } catch  where error.code != .cancelled {
            // Whatever it is, it concerns this repository only: the next one may have a good copy.
            return problem(error)
        }
        do throws(BackupError) {
            try await write(stored, match, atMost: limit)
            return nil
        } catch  where error.code == .crypto {
            guard looksForKeys, let newer = await match.withNewerKeys() else { return problem(error) }
            return try await copy(newer, atMost: limit, looksForKeys: false)
        } catch  where error.code != .full && error.code != .denied && error.code != .cancelled {
            return problem(error)
        }
    }

    private func write(
        _ stored: consuming any ByteSource & ~Copyable, _ match: ArchiveMatch, atMost limit: UInt64
    ) async throws(BackupError) {
        let repository = match.repository
        let coding =
            match.sha1 == nil
            ? ObjectCoding(try repository.registry.codec("none"), match.seal)
            : try ObjectCoding(ofFile: match.key.name, repository.registry, match.seal)
        let steps = try coding.decoder(.normal)
        let expect = Expect(try repository.sha1())
        expect.next(digest: match.sha1, size: nil)
        // Recovery waits for each segment: a second core makes up for the time it takes to verify. It gets the checksum too where
        // decoding takes less time than writing.
        let hashesAhead = !coding.compresses
        let ahead = try ReadAhead(try Flow(stored, Chain(steps + (hashesAhead ? [.tap(expect)] : []))))
        var flow = BoundedSource(try Flow(ahead, Chain(hashesAhead ? [] : [.tap(expect)])), atMost: limit)
        // PostgreSQL asks again after a crash.
        let options = PutOptions(.never, attributes: Attributes(mode: 0o600))
        _ = try await context.openTree("").put(Key(absolute: destination), from: &flow, options)
    }
}

extension ArchiveGet {
    static let command = Command(
        CommandSpec(
            "archive-get", "WAL archive", "get a WAL segment from a repository",
            "Goes into restore_command as: archive-get %f \"%p\"; 'restore' writes that itself. The exit status is 1 when no repository has it."
        ) {
            $0.positional = [CommandSpec.Positional("WAL-NAME"), CommandSpec.Positional("DESTINATION")]
        },
        repositories: .firstThatHas, status: { (context) throws(BackupError) in try await run(context) ? 0 : 1 })
}
