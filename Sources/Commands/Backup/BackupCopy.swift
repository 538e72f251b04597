// Copies the files of a manifest into the repository and notes in it what was stored.

import BackstopCore
import Synchronization

/// What became of one file.
private enum Outcome: Sendable {
    /// It disappeared from the cluster since it was listed.
    case vanished
    case stored(
        size: UInt64, checksum: SHA1Value?, repositorySize: UInt64, repositoryChecksum: SHA1Value?, pageErrors: [ClosedRange<UInt32>],
        aligned: Bool)
}

struct BackupCopy: Sendable {
    let context: RunContext
    let stanza: String
    let repository: Repository
    let encoding: Encoding
    let cluster: ClusterFiles
    let control: ControlFile
    let lease: RepositoryLease
    /// Of the session that began the backup.
    let watch: SessionWatch?
    let meter: ProgressMeter

    /// Copies all files of `manifest` with `process-max` workers and fills in their checksums and sizes.
    func run(_ manifest: inout Manifest) async throws(BackupError) {
        let files = manifest.files
        let label = manifest.label
        let outcomes = Mutex([Outcome?](repeating: nil, count: files.count))
        let order = files.indices.sorted { (files[$0].size, files[$1].name) > (files[$1].size, files[$0].name) }
        try await parallel(
            order, workers: context.options[WorkOptions.processMax], atATime: repository.storage.smallAtATime,
            isSmall: { files[$0].size <= smallFile },
            makeWorker: { (number) throws(BackupError) in try BackupWorker(self, number: number) },
            body: { (worker, index) async throws(BackupError) in
                try watch?.check()
                try lease.check()
                let outcome = try await worker.copy(files[index], label)
                outcomes.withLock { $0[index] = outcome }
            })
        note(outcomes.withLock { $0 }, in: &manifest)
    }

    private func note(_ outcomes: [Outcome?], in manifest: inout Manifest) {
        var kept: [Manifest.File] = []
        kept.reserveCapacity(outcomes.count)
        for (var file, outcome) in zip(manifest.files, outcomes) {
            guard case .stored(let size, let checksum, let repositorySize, let repositoryChecksum, let pageErrors, let aligned) = outcome
            else { continue }
            file.size = size
            file.checksum = checksum
            file.repositorySize = repositorySize
            file.repositoryChecksum = repositoryChecksum
            if file.pagesValid != nil {
                file.pagesValid = aligned && pageErrors.isEmpty
                file.pageErrors = aligned ? pageErrors : []
            }
            kept.append(file)
        }
        manifest.files = kept
    }

    /// Stores a file that the program made itself (backup_label, tablespace_map) and adds it to the manifest.
    func store(_ text: String, as name: String, timestamp: Int64, in manifest: inout Manifest) async throws(BackupError) {
        let data = manifest.dataFolder
        let bytes = Array(text.utf8)
        var file = Manifest.File(
            name: "\(Manifest.dataName)/\(name)", size: UInt64(bytes.count), originalSize: UInt64(bytes.count), timestamp: timestamp,
            mode: (data?.mode ?? 0o700) & 0o644, owner: data?.owner ?? Manifest.Owner())
        let worker = try BackupWorker(self, number: 0)
        let (made, label) = (file, manifest.label)
        let outcome = try await step("file '\(name)'", 0) { () throws(BackupError) in try await worker.put(bytes, made, label) }
        if case .stored(_, let checksum, let repositorySize, let repositoryChecksum, _, _) = outcome {
            file.checksum = checksum
            file.repositorySize = repositorySize
            file.repositoryChecksum = repositoryChecksum
        }
        manifest.files.removeAll { sameBytes($0.name, file.name) }
        manifest.files.append(file)
        manifest.sort()
    }
}

/// One worker: how it reads and what it does before it stores, kept between files.
private final class BackupWorker {
    private let copy: BackupCopy
    private let number: Int
    private let near: NearReading
    private let reading: any ClusterReading
    private let pages: PageCheck
    private let storedSHA1: any Checksum
    private let chain: Chain

    init(_ copy: BackupCopy, number: Int) throws(BackupError) {
        self.copy = copy
        self.number = number
        near = try NearReading(copy)
        reading = if let tree = copy.cluster.tree as? any SteppingTree { try FarReading(copy, tree) } else { near }
        pages = copy.makePageCheck()
        storedSHA1 = try copy.repository.sha1()
        // Encryption is done here: the key need not be known on the host of the cluster.
        chain = Chain(try copy.encoding.encryption() + (copy.encoding.changesBytes ? [.tap(storedSHA1)] : []))
    }

    func copy(_ file: Manifest.File, _ label: String) async throws(BackupError) -> Outcome {
        if file.name == "\(Manifest.dataName)/\(ClusterFiles.controlName)" {
            let outcome = try await copy.step("file '\(copy.path(file))'", number) { () throws(BackupError) in
                try await put(try await copy.cluster.control().stored, file, label)
            }
            log(file, outcome)
            return outcome
        }
        var outcome = Outcome.vanished
        do throws(BackupError) {
            try await Retry(copy.context.options).run(onRetry: { error in
                reading.undo()
                copy.context.log.warn("retry of file '\(copy.path(file))': \(error)", worker: number)
            }) { () async throws(BackupError) in
                let range = copy.isCutAtListedSize(file) ? 0..<file.originalSize : nil
                let source: any ByteSource & ~Copyable
                do throws(BackupError) {
                    source = try await reading.open(file, copy.key(file), range)
                } catch  where error.code == .notFound {
                    outcome = .vanished
                    return
                }
                outcome = try await put(source, reading, file, label)
            }
        } catch {
            throw error.code == .cancelled ? error : error.during("copy of file '\(copy.path(file))' to \(copy.repository.name)")
        }
        log(file, outcome)
        return outcome
    }

    /// Stores bytes that are known already.
    func put(_ bytes: [UInt8], _ file: Manifest.File, _ label: String) async throws(BackupError) -> Outcome {
        try await put(try near.flow(file, BytesSource(bytes)), near, file, label)
    }

    private func put(
        _ source: consuming any ByteSource & ~Copyable, _ reading: any ClusterReading, _ file: Manifest.File, _ label: String
    ) async throws(BackupError) -> Outcome {
        var flow = try Flow(source, chain)
        let key = Layout.backup(copy.stanza, label) / (file.name + copy.encoding.codec.suffix)
        let entry = try await copy.repository.storage.put(key, from: &flow, PutOptions(.bySync))
        let found = try reading.findings()
        // What is stored as it is can be compared with what was read, wherever that was.
        guard copy.encoding.changesBytes || entry.size == found.size else {
            throw BackupError(.checksum, "\(entry.size) bytes were stored of the \(found.size) that were read")
        }
        return .stored(
            size: found.size, checksum: found.checksum, repositorySize: entry.size,
            repositoryChecksum: copy.encoding.changesBytes ? SHA1Value(storedSHA1.digest) : nil,
            pageErrors: try await confirmed(found.pageErrors, file), aligned: found.isAligned)
    }

    /// The pages that are still wrong when read again: a page that PostgreSQL wrote while it was read is no error.
    private func confirmed(
        _ errors: [ClosedRange<UInt32>], _ file: Manifest.File
    ) async throws(BackupError) -> [ClosedRange<UInt32>] {
        var confirmed: [ClosedRange<UInt32>] = []
        let first = DatabasePath.segment(of: file.name) &* UInt32((1 << 30) / pages.pageSize)
        for range in errors {
            var next = range.lowerBound
            while next <= range.upperBound {
                let last = next + min(range.upperBound - next, Self.pagesAtATime - 1)
                let bytes = try await read(file, next &- first, count: last - next + 1)
                for page in next...last {
                    let begin = Int(page - next) * pages.pageSize
                    // What is missing was truncated meanwhile, which WAL replay repeats.
                    guard begin + pages.pageSize <= bytes.count else { break }
                    if pages.isGood(Array(bytes[begin..<begin + pages.pageSize]), number: page) { continue }
                    if let known = confirmed.last, known.upperBound &+ 1 == page {
                        confirmed[confirmed.count - 1] = known.lowerBound...page
                    } else {
                        confirmed.append(page...page)
                    }
                }
                if last == .max { break }
                next = last + 1
            }
        }
        return confirmed
    }

    private static let pagesAtATime: UInt32 = 64

    /// Pages of the file as it is now, counted from its own first one; nothing when it is gone.
    private func read(_ file: Manifest.File, _ page: UInt32, count: UInt32) async throws(BackupError) -> [UInt8] {
        let begin = UInt64(page) * UInt64(pages.pageSize)
        do throws(BackupError) {
            var source = try await copy.cluster.tree.open(copy.key(file), range: begin..<begin + UInt64(count) * UInt64(pages.pageSize))
            return try await source.readAll()
        } catch  where error.code == .notFound {
            return []
        }
    }

    private func log(_ file: Manifest.File, _ outcome: Outcome) {
        let log = copy.context.log
        switch outcome {
        case .vanished:
            log.detail("skip file removed by database \(copy.path(file))", worker: number)
        case .stored(let size, let checksum, _, _, let errors, let aligned):
            log.detail(
                "backup file \(copy.path(file)) (\(sizeText(size)), \(copy.meter.percent)%)\(checksum.map { " checksum \($0)" } ?? "")",
                worker: number)
            if !aligned {
                log.warn(
                    "page misalignment in file \(copy.path(file)): file size \(size) is not divisible by page size \(pages.pageSize)",
                    worker: number)
            } else if !errors.isEmpty {
                let text = errors.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
                log.warn(
                    "invalid page checksum\(errors.count == 1 && errors[0].count == 1 ? "" : "s") found in file \(copy.path(file)) at page\(errors.count == 1 && errors[0].count == 1 ? "" : "s") \(text)",
                    worker: number)
            }
        }
    }
}

extension BackupCopy {
    fileprivate func step<Value>(
        _ what: String, _ worker: Int, _ body: () async throws(BackupError) -> Value
    ) async throws(BackupError) -> Value {
        try await Retry(context.options).run(onRetry: { context.log.warn("retry of \(what): \($0)", worker: worker) }, body)
    }

    func makePageCheck() -> PageCheck {
        PageCheck(pageSize: Int(control.pageSize), headerCheck: context.options[BackupOptions.pageHeaderCheck])
    }

    /// The file in the cluster: names in the manifest begin with `pg_data/`, those of tablespaces lead through PGDATA's links.
    fileprivate func key(_ file: Manifest.File) -> Key { clusterKey(file.name) }

    fileprivate func path(_ file: Manifest.File) -> String { "\(cluster.path)/\(clusterKey(file.name))" }

    /// Relation-like files are read up to the size they had when listed; WAL replay brings what was added later (section 3.7).
    fileprivate func isCutAtListedSize(_ file: Manifest.File) -> Bool {
        let name = file.name
        if name.isBelow(Manifest.tablespaceName) { return true }
        return ["base", "global", control.version.transactionFolder, "pg_multixact"].contains { name.isBelow("\(Manifest.dataName)/\($0)") }
    }
}
