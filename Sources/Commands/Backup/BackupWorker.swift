// One worker of a backup: how it reads and what it does before it stores, kept between files.

import BackstopCore

final class BackupWorker {
    private let run: BackupRun
    private let number: Int
    private let near: NearReading
    private let reading: any ClusterReading
    private let pages: PageCheck
    private let storedSHA1: any Checksum
    private let chain: Chain
    /// For the stored form of files that may turn out not to have changed.
    private let blocks: BlockPool

    init(_ run: BackupRun, number: Int) throws(BackupError) {
        self.run = run
        self.number = number
        pages = PageCheck(pageSize: Int(run.control.pageSize), headerCheck: run.policy.checksPageHeaders)
        let registry = run.repository.registry
        let check = ChainSpec.Step.pages(size: pages.pageSize, headerCheck: pages.headerCheck)
        func specs(_ packing: ChainSpec.Step?) -> (plain: ChainSpec, withPages: ChainSpec) {
            (.backup(pages: nil, packing: packing), .backup(pages: check, packing: packing))
        }
        let packing = run.coding.step
        let here = specs(packing)
        near = try NearReading(run.cluster.tree, here.plain, here.withPages, registry, run.meter)
        if let tree = run.cluster.tree as? any SteppingTree {
            var (there, unpack) = (here, Chain?.none)
            if packing == nil, run.policy.networkLevel != 0, let lz4 = registry.codecs["lz4"] {
                let level = run.policy.networkLevel
                there = specs(.compress(codec: lz4.name, level: level))
                unpack = Chain([.transform(try lz4.open(level, .normal).decoder())])
            }
            reading = FarReading(tree, there.plain, there.withPages, unpack: unpack, run.meter)
        } else {
            reading = near
        }
        blocks = BlockPool(blockSize: run.policy.bufferSize)
        storedSHA1 = try run.repository.sha1()
        // Encryption is done here: the key need not be known on the host of the cluster.
        chain = Chain(try run.coding.encryption() + (run.coding.changesBytes ? [.tap(storedSHA1)] : []))
    }

    /// nil when the file is gone.
    func copy(_ file: PlannedFile) async throws(BackupError) -> StoredFile? {
        var outcome = Outcome.gone
        do throws(BackupError) {
            try await run.policy.retry.run(onRetry: { error in
                reading.undo()
                run.log.warn("retry of file '\(run.path(file.name))': \(error)", worker: number)
            }) { () async throws(BackupError) in
                do throws(BackupError) {
                    outcome = try await look(at: file)
                } catch  where error.code == .notFound && !file.isControl {
                    outcome = .gone
                }
            }
        } catch {
            throw error.code == .cancelled ? error : error.during("copy of file '\(run.path(file.name))' to \(run.repository.name)")
        }
        switch outcome {
        case .stored(let stored, let isAligned):
            log(stored, isAligned: isAligned)
            return stored
        case .same(let stored):
            run.log.detail("match file from prior backup \(said(stored))", worker: number)
            return stored
        case .gone:
            run.log.detail("skip file removed by database \(run.path(file.name))", worker: number)
            return nil
        }
    }

    private enum Outcome {
        case stored(StoredFile, isAligned: Bool)
        /// An earlier backup has it.
        case same(StoredFile)
        case gone
    }

    /// Throws `.notFound` when the file is gone.
    private func look(at planned: PlannedFile) async throws(BackupError) -> Outcome {
        if planned.isControl {
            let source = BytesSource(try await run.cluster.control().stored)
            let flow = try near.flow(planned.name.text, checksPages: false, source)
            return try await put(flow, near, planned, comparing: planned.base)
        }
        let (key, range) = (clusterKey(planned.name.text), planned.isCut ? 0..<planned.size : nil)
        if let base = planned.base, base.comparesFirst {
            if base.isSame(try await reading.look(at: planned, key, range)) { return .same(base.file) }
            reading.undo()
            return try await put(try await reading.open(planned, key, range), reading, planned)
        }
        return try await put(try await reading.open(planned, key, range), reading, planned, comparing: planned.base)
    }

    /// `base`: nothing is stored when the file turns out to be still that one.
    private func put(
        _ source: consuming any ByteSource & ~Copyable, _ reading: any ClusterReading, _ planned: PlannedFile,
        comparing base: PlannedFile.Base? = nil
    ) async throws(BackupError) -> Outcome {
        var file = StoredFile(planned.name, size: planned.size, timestamp: planned.file.modified, planned.file.attributes)
        let found: ChainFindings
        if let base {
            // What was but touched is not stored again, as long as its stored form is small enough to wait for its end.
            let started = try await StartedSource(try Flow(source, chain), into: blocks.lend())
            if started.isWhole, base.isSame(try reading.findings()) { return .same(base.file) }
            found = try await store(started, reading, &file)
        } else {
            found = try await put(source, reading, &file)
        }
        if planned.checksPages {
            let errors = found.isAligned ? try await confirmed(found.pageErrors, planned) : []
            file.pagesValid = found.isAligned && errors.isEmpty
            if !errors.isEmpty { file.pageErrors = errors }
        }
        return .stored(file, isAligned: found.isAligned)
    }

    /// Stores bytes that are known already. `listed`: the size when the list was made, where it was in it.
    func put(
        _ bytes: [UInt8], _ name: ManifestName, timestamp: Int64, _ attributes: FileAttributes, _ listed: UInt64? = nil
    ) async throws(BackupError) -> StoredFile {
        var file = StoredFile(name, size: listed ?? UInt64(bytes.count), timestamp: timestamp, attributes)
        _ = try await put(try near.flow(name.text, checksPages: false, BytesSource(bytes)), near, &file)
        return file
    }

    private func put(
        _ source: consuming any ByteSource & ~Copyable, _ reading: any ClusterReading, _ file: inout StoredFile
    ) async throws(BackupError) -> ChainFindings {
        try await store(try Flow(source, chain), reading, &file)
    }

    /// `bytes`: the stored form, of which `chain` is the last part.
    private func store<Source: ByteSource & ~Copyable>(
        _ bytes: consuming Source, _ reading: any ClusterReading, _ file: inout StoredFile
    ) async throws(BackupError) -> ChainFindings {
        var bytes = bytes
        let entry = try await run.repository.storage.put(run.key(file.name), from: &bytes, PutOptions(.bySync))
        let found = try reading.findings()
        // What is stored as it is can be compared with what was read, wherever that was.
        guard run.coding.changesBytes || entry.size == found.size else {
            throw BackupError(.checksum, "\(entry.size) bytes were stored of the \(found.size) that were read")
        }
        file.size = found.size
        file.checksum = found.checksum
        file.repositorySize = entry.size
        file.repositoryChecksum = run.coding.changesBytes ? SHA1Value(storedSHA1.digest) : nil
        return found
    }

    /// The pages that are still wrong when read again: a page that PostgreSQL wrote while it was read is no error.
    private func confirmed(
        _ errors: [ClosedRange<UInt32>], _ file: PlannedFile
    ) async throws(BackupError) -> [ClosedRange<UInt32>] {
        var confirmed: [ClosedRange<UInt32>] = []
        let first = DatabasePath.segment(of: file.name.text) &* UInt32((1 << 30) / pages.pageSize)
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
    private func read(_ file: PlannedFile, _ page: UInt32, count: UInt32) async throws(BackupError) -> [UInt8] {
        let begin = UInt64(page) * UInt64(pages.pageSize)
        do throws(BackupError) {
            var source = try await run.cluster.tree.open(
                clusterKey(file.name.text), range: begin..<begin + UInt64(count) * UInt64(pages.pageSize))
            return try await source.readAll()
        } catch  where error.code == .notFound {
            return []
        }
    }

    private func said(_ file: StoredFile) -> String {
        "\(run.path(file.name)) (\(roundedSize(file.size)), \(run.meter.percent)%)\(file.checksum.map { " checksum \($0)" } ?? "")"
    }

    private func log(_ file: StoredFile, isAligned: Bool) {
        let path = run.path(file.name)
        run.log.detail("backup file \(said(file))", worker: number)
        if !isAligned {
            run.log.warn(
                "page misalignment in file \(path): file size \(file.size) is not divisible by page size \(pages.pageSize)", worker: number)
        } else if !file.pageErrors.isEmpty {
            let errors = file.pageErrors
            let text = errors.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
            let several = errors.count == 1 && errors[0].count == 1 ? "" : "s"
            run.log.warn("invalid page checksum\(several) found in file \(path) at page\(several) \(text)", worker: number)
        }
    }
}
