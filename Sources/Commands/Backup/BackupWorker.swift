// One worker of a backup: how it reads and what it does before it stores, kept between files.

import BackstopCore

final class BackupWorker {
    let run: BackupRun
    let number: Int
    private let near: NearReading
    private let main: Readings
    /// Of what WAL replay writes.
    private let relations: Readings
    /// Of the current file, as the manifest gets it.
    private var time: Int64 = 0
    /// The one that reads the current file.
    private var used: any ClusterReading

    /// How files of one cluster are read.
    private struct Readings {
        let files: any ClusterReading
        /// Of files that are stored in blocks: nothing is compressed where the cluster is.
        let contents: any ClusterReading
    }
    private let pages: PageCheck
    private let storedSHA1: any Checksum
    /// The last steps of what is stored: encryption is done here, since the key need not be known on the host of the cluster.
    private let seal: Chain
    /// Of a file in blocks: its stored form, one super block, its map.
    private let summed: Chain
    private let superBlocks: Chain
    private let maps: Chain
    /// Of the current file; nil: it is stored whole.
    private var increment: BlockIncrement.Outcome?
    /// Maps of files that are going to be copied next.
    private var ahead: [ManifestName: BlockMap] = [:]
    /// For the stored form of files that may turn out not to have changed.
    private let long: BlockPool
    /// For that of files of which only emptiness matters.
    private let short = BlockPool(blockSize: 4096)
    /// Bytes that the meter was told of, of files of the current bundle that were read to their end.
    var toldOfBundle: Int64 = 0

    /// `framing`: of what is stored.
    init(_ run: BackupRun, number: Int, _ framing: Framing = .normal) throws(BackupError) {
        self.run = run
        self.number = number
        pages = PageCheck(pageSize: Int(run.control.pageSize), headerCheck: run.policy.checksPageHeaders)
        let registry = run.repository.registry
        let check = ChainSpec.Step.pages(size: pages.pageSize, headerCheck: pages.headerCheck)
        func specs(_ packing: ChainSpec.Step?) -> (plain: ChainSpec, withPages: ChainSpec) {
            (.backup(pages: nil, packing: packing), .backup(pages: check, packing: packing))
        }
        func near(_ cluster: ClusterFiles, _ packing: ChainSpec.Step?) throws(BackupError) -> NearReading {
            let here = specs(packing)
            return try NearReading(cluster.tree, here.plain, here.withPages, registry, run.meter)
        }
        func reading(_ cluster: ClusterFiles, _ packing: ChainSpec.Step?) throws(BackupError) -> any ClusterReading {
            let here = specs(packing)
            guard let tree = cluster.tree as? any SteppingTree else { return try near(cluster, packing) }
            var (there, unpack) = (here, Chain?.none)
            if packing == nil, run.policy.networkLevel != 0, let lz4 = registry.codecs["lz4"] {
                let level = run.policy.networkLevel
                there = specs(.compress(codec: lz4.name, level: level, .normal))
                unpack = Chain([.transform(try lz4.open(level, .normal).decoder())])
            }
            return FarReading(tree, there.plain, there.withPages, unpack: unpack, run.meter)
        }
        let packing = run.coding.step(framing)
        func readings(_ cluster: ClusterFiles, _ files: any ClusterReading) throws(BackupError) -> Readings {
            // Blocks are compared as they are in the file, and compressed after that.
            Readings(files: files, contents: run.policy.blocks == nil || packing == nil ? files : try reading(cluster, nil))
        }
        self.near = try near(run.cluster, packing)
        main = try readings(run.cluster, run.cluster.tree is any SteppingTree ? try reading(run.cluster, packing) : self.near)
        relations =
            if let standby = run.standby { try readings(standby, try reading(standby, packing)) } else { main }
        used = main.files
        long = BlockPool(blockSize: run.policy.bufferSize)
        storedSHA1 = try run.repository.sha1()
        seal = Chain(try run.coding.encryption(framing) + (run.coding.changesBytes ? [.tap(storedSHA1)] : []))
        summed = Chain([.tap(storedSHA1)])
        superBlocks = Chain(try run.coding.encoder(.raw))
        maps = Chain(try run.coding.encryption(.raw))
    }

    // MARK: Reading

    /// What is known of a file before anything is stored.
    enum Begun: ~Copyable {
        /// Its stored form.
        case bytes(Flow)
        /// The same; its beginning is in memory.
        case started(StartedSource<Flow>)
        /// An earlier backup has it.
        case same(StoredFile)
        /// It has no content, and what is empty is not stored.
        case empty(StoredFile)
    }

    /// Begins to read a file. `place`: the bundle that it goes into, of which nothing is stored for a file without content, and where in it.
    /// Throws `.notFound` when it is gone.
    func begin(_ planned: PlannedFile, in place: (bundle: UInt64, offset: UInt64)? = nil) async throws(BackupError) -> Begun {
        var base = planned.base
        increment = nil
        time = run.clock.time(planned.file.modified, ofStandby: planned.isCut && run.standby != nil)
        if let resumed = base, resumed.isResumed {
            if try await isStored(resumed.file) {
                if !resumed.comparesFirst {
                    run.meter.add(Int64(clamping: planned.size), file: planned.name.text)
                    return .same(resumed.file)
                }
                if try await isUnchanged(planned, resumed) { return .same(read(resumed)) }
            }
            base = nil
        }
        if let first = base, first.comparesFirst, !planned.isControl {
            if try await isUnchanged(planned, first) { return .same(read(first)) }
            base = nil
        }
        if let format = planned.blocks { return try await begin(planned, format, in: place) }
        let bytes = try Flow(try await open(planned), seal)
        guard base != nil || place != nil else { return .bytes(bytes) }
        // What was but touched is not stored again, as long as its stored form is small enough to wait for its end.
        let started = try await StartedSource(bytes, into: (base == nil ? short : long).lend())
        guard started.isWhole else { return .started(started) }
        let found = try used.findings()
        if let base, base.isSame(found) { return .same(read(base)) }
        guard place != nil, found.size == 0 else { return .started(started) }
        return .empty(emptied(planned))
    }

    /// Whether the file has the content that an earlier backup has of it.
    private func isUnchanged(_ planned: PlannedFile, _ base: PlannedFile.Base) async throws(BackupError) -> Bool {
        let reading = planned.isCut ? relations.files : main.files
        used = reading
        if base.isSame(try await reading.look(at: planned, clusterKey(planned.name.text), range(planned))) { return true }
        reading.undo()
        return false
    }

    /// Whether the repository has all of it, as an earlier run of this backup stored it.
    private func isStored(_ file: StoredFile) async throws(BackupError) -> Bool {
        let suffix = file.blockMapSize == nil ? run.coding.codec.suffix : Layout.blockSuffix
        let expect = Expect(try run.repository.sha1())
        expect.next(digest: (file.repositoryChecksum ?? file.checksum)?.description, size: file.repositorySize)
        let block = long.lend()
        do throws(BackupError) {
            var flow = try Flow(try await run.repository.storage.open(run.key(file.name, suffix)), Chain([.tap(expect)]))
            try await flow.drain(&block.block)
            return true
        } catch  where error.code == .checksum || error.code == .notFound {
            return false
        }
    }

    private func range(_ planned: PlannedFile) -> Range<UInt64>? { planned.isCut ? 0..<planned.size : nil }

    private func open(_ planned: PlannedFile) async throws(BackupError) -> any ByteSource & ~Copyable {
        if planned.isControl {
            used = near
            return try near.flow(planned.name.text, checksPages: false, BytesSource(try await run.cluster.control().stored))
        }
        let readings = planned.isCut ? relations : main
        used = planned.blocks == nil ? readings.files : readings.contents
        return try await used.open(planned, clusterKey(planned.name.text), range(planned))
    }

    private func emptied(_ planned: PlannedFile) -> StoredFile {
        var file = entry(planned)
        file.size = 0
        if let format = planned.blocks { (file.blockSize, file.blockChecksumSize) = (format.size, format.checksumSize) }
        return file
    }

    private func entry(_ planned: PlannedFile) -> StoredFile {
        StoredFile(planned.name, size: planned.size, timestamp: time, planned.file.attributes)
    }

    /// The entry of the current file, which has been read and is as an earlier backup has it.
    private func read(_ base: PlannedFile.Base) -> StoredFile {
        var file = base.file
        file.timestamp = time
        return file
    }

    // MARK: Blocks

    /// Nothing is stored when no block changed.
    private func begin(
        _ planned: PlannedFile, _ format: BlockFormat, in place: (bundle: UInt64, offset: UInt64)?
    ) async throws(BackupError) -> Begun {
        var prior = try await priorMap(planned, format)
        while true {
            let outcome = BlockIncrement.Outcome()
            increment = outcome
            let blocks = BlockIncrement(
                try await open(planned), onto: prior, format, superBlock: run.superBlock, reference: run.references.count - 1,
                bundle: place?.bundle ?? 0, offset: place?.offset ?? 0, packing: superBlocks, sealing: maps, outcome)
            let started = try await StartedSource(try Flow(blocks, summed), into: short.lend())
            guard started.isWhole else { return .started(started) }
            let found = try used.findings()
            if found.size == 0 { return .empty(emptied(planned)) }
            guard started.isEmpty else { return .started(started) }
            if let base = planned.base, base.isSame(found) { return .same(read(base)) }
            // Blocks whose checksums are the same and whose content is not.
            run.log.warn("file '\(run.path(planned.name))' is stored anew: its block map does not fit its content", worker: number)
            used.undo()
            prior = nil
        }
    }

    /// What the prior backup has of the file, in that format. What cannot be read does no harm: the file is stored whole again.
    private func priorMap(_ planned: PlannedFile, _ format: BlockFormat) async throws(BackupError) -> BlockMap? {
        guard let base = fileWithPriorMap(planned), base.blockFormat == format else { return nil }
        if let map = ahead.removeValue(forKey: planned.name) { return map }
        do throws(BackupError) {
            return try await run.repository.blockMap(of: base, run.references, in: run.label, run.coding.seal)
        } catch  where error.code.isDamage || error.code == .notFound {
            run.log.warn("\(error); all blocks of the file are stored anew", worker: number)
            return nil
        }
    }

    private func fileWithPriorMap(_ planned: PlannedFile) -> StoredFile? {
        // What an unfinished run stored is about to be replaced.
        guard planned.blocks != nil, planned.base?.isResumed != true, let base = planned.base?.file, base.blockMapSize != nil, base.size > 0
        else { return nil }
        return base
    }

    /// Where every request costs a round trip, the maps of files of one bundle are read together.
    func lookAhead(_ files: [PlannedFile]) async {
        let atATime = run.repository.storage.smallAtATime
        let known = files.compactMap(fileWithPriorMap)
        guard atATime > 1, known.count > 1 else { return }
        ahead = await run.repository.blockMaps(
            of: known, run.references, in: run.label, run.coding.seal, atATime: atATime, readOver: run.policy.readOver)
    }

    /// The current file is going to be read again.
    func undo() { used.undo() }

    // MARK: Storing one file

    /// nil when the file is gone.
    func copy(_ file: PlannedFile) async throws(BackupError) -> StoredFile? {
        var outcome: (file: StoredFile, isNew: Bool)?
        do throws(BackupError) {
            try await run.policy.retry.run(onRetry: { error in
                used.undo()
                run.log.warn("retry of file '\(run.path(file.name))': \(error)", worker: number)
            }) { () async throws(BackupError) in
                do throws(BackupError) {
                    outcome = try await store(file)
                } catch  where error.code == .notFound && !file.isControl {
                    outcome = nil
                }
            }
        } catch {
            throw error.code == .cancelled ? error : error.during("copy of file '\(run.path(file.name))' to \(run.repository.name)")
        }
        guard let outcome else {
            logGone(file)
            return nil
        }
        if outcome.isNew { try await log(outcome.file) } else { try await logSame(outcome.file) }
        return outcome.file
    }

    private func store(_ planned: PlannedFile) async throws(BackupError) -> (file: StoredFile, isNew: Bool) {
        let begun = try await begin(planned)
        let stored: UInt64
        switch consume begun {
        case .same(let file): return (file, false)
        case .empty(let file): return (file, true)
        case .bytes(let bytes): stored = try await store(bytes, run.key(planned))
        case .started(let bytes): stored = try await store(bytes, run.key(planned))
        }
        var (file, found) = try finish(planned, stored: stored)
        try await look(at: found, planned, &file)
        return (file, true)
    }

    private func store<Source: ByteSource & ~Copyable>(_ bytes: consuming Source, _ key: Key) async throws(BackupError) -> UInt64 {
        var bytes = bytes
        return try await run.repository.storage.put(key, from: &bytes, PutOptions(.bySync)).size
    }

    /// Stores bytes that are known already.
    func put(_ bytes: [UInt8], _ name: ManifestName, timestamp: Int64, _ attributes: FileAttributes) async throws(BackupError) -> StoredFile
    {
        var file = StoredFile(name, size: UInt64(bytes.count), timestamp: timestamp, attributes)
        (used, increment) = (near, nil)
        let stored = try await store(
            try Flow(try near.flow(name.text, checksPages: false, BytesSource(bytes)), seal), run.key(name, run.coding.codec.suffix))
        _ = try finish(&file, stored: stored)
        return file
    }

    /// The entry of a file of which `stored` bytes were stored, and what was found in its content. Only after its last byte.
    func finish(_ planned: PlannedFile, stored: UInt64) throws(BackupError) -> (StoredFile, ChainFindings) {
        var file = entry(planned)
        let found = try finish(&file, stored: stored)
        if let format = planned.blocks ?? planned.base?.file.blockFormat {
            (file.blockSize, file.blockChecksumSize) = (format.size, format.checksumSize)
        }
        file.blockMapSize = increment?.mapSize
        return (file, found)
    }

    private func finish(_ file: inout StoredFile, stored: UInt64) throws(BackupError) -> ChainFindings {
        let found = try used.findings()
        let isChanged = run.coding.changesBytes || increment != nil
        // What is stored as it is can be compared with what was read, wherever that was.
        guard isChanged || stored == found.size else {
            throw BackupError(.checksum, "\(stored) bytes were stored of the \(found.size) that were read")
        }
        file.size = found.size
        file.checksum = found.checksum
        file.repositorySize = stored
        file.repositoryChecksum = isChanged ? SHA1Value(storedSHA1.digest) : nil
        return found
    }

    // MARK: Pages

    /// Notes in `file` what became of its pages.
    func look(at found: ChainFindings, _ planned: PlannedFile, _ file: inout StoredFile) async throws(BackupError) {
        guard planned.checksPages else { return }
        let errors = found.isAligned ? try await confirmed(found.pageErrors, planned) : []
        file.pagesValid = found.isAligned && errors.isEmpty
        if !errors.isEmpty { file.pageErrors = errors }
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
            var source = try await run.source(file).tree.open(
                clusterKey(file.name.text), range: begin..<begin + UInt64(count) * UInt64(pages.pageSize))
            return try await source.readAll()
        } catch  where error.code == .notFound {
            return []
        }
    }

    // MARK: The log

    func logGone(_ file: PlannedFile) { run.log.detail("skip file removed by database \(run.path(file.name))", worker: number) }

    /// What this backup itself stored, if in an earlier run, is judged as what it copies.
    func logSame(_ file: StoredFile) async throws(BackupError) {
        let isOwn = file.reference == nil
        run.log.detail("\(isOwn ? "checksum resumed file" : "match file from prior backup") \(said(file))", worker: number)
        if isOwn { try await judge(file) }
    }

    private func said(_ file: StoredFile) -> String {
        let bundle = file.reference == nil ? file.bundle.map { "bundle \($0)/\(file.bundleOffset), " } ?? "" : ""
        return "\(run.path(file.name)) (\(bundle)\(roundedSize(file.size)), \(run.meter.percent)%)"
            + (file.checksum.map { " checksum \($0)" } ?? "")
    }

    /// Throws `.checksum` (26) for bad pages where that is wanted.
    func log(_ file: StoredFile) async throws(BackupError) {
        run.log.detail("backup file \(said(file))", worker: number)
        try await judge(file)
    }

    private func judge(_ file: StoredFile) async throws(BackupError) {
        // Pages that were written without checksums are no damage. The end of the backup tells of the switch.
        guard let fault = fault(file), try await run.hasPageChecksums() else { return }
        if run.policy.refusesBadPages {
            throw BackupError(
                .checksum, fault,
                hint:
                    "is the disk all right? Another server may have the page whole.\nwithout --checksum-page-error the backup is made and tells of it."
            )
        }
        run.log.warn(fault, worker: number)
    }

    /// What is wrong with the pages of a file.
    private func fault(_ file: StoredFile) -> String? {
        guard file.pagesValid == false else { return nil }
        let (path, errors) = (run.path(file.name), file.pageErrors)
        if errors.isEmpty {
            return "page misalignment in file \(path): file size \(file.size) is not divisible by page size \(pages.pageSize)"
        }
        let text = errors.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
        let several = errors.count == 1 && errors[0].count == 1 ? "" : "s"
        return "invalid page checksum\(several) found in file \(path) at page\(several) \(text)"
    }
}
