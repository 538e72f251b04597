// Brings the files of a backup to their places, each verified before it appears.

import BackstopCore

struct RestoreCopy: Sendable {
    let context: RunContext
    let stanza: String
    let set: RestoreSet
    let manifest: Manifest
    let target: RestoreTarget
    let decoding: Decoding
    let meter: ProgressMeter

    /// Restores all of `files` with `process-max` workers.
    func run(_ files: [Manifest.File]) async throws(BackupError) {
        try await parallel(
            RestorePlan.jobs(files, readOver: readOver) { manifest.location(of: $0, stanza: stanza, suffix: decoding.codec.suffix) },
            workers: context.options[WorkOptions.processMax], atATime: set.repository.storage.smallAtATime,
            isSmall: { $0.size <= smallFile },
            makeWorker: { (number) throws(BackupError) in try RestoreWorker(self, number: number) },
            body: { (worker, job) async throws(BackupError) in try await worker.restore(job) })
    }

    /// Bytes between two files of a bundle that are rather read than skipped.
    fileprivate var readOver: UInt64 {
        UInt64(context.options[PlaceOptions.readOver, set.repository.index])
    }

    /// The bytes of pg_control, verified; it is put in place last.
    func control(_ file: Manifest.File) async throws(BackupError) -> [UInt8] {
        let worker = try RestoreWorker(self, number: 0)
        return try await worker.read(file)
    }

    fileprivate func attributes(_ file: Manifest.File) -> Attributes {
        Attributes(mode: file.mode, user: file.owner.user, group: file.owner.group, modified: file.timestamp)
    }
}

/// One worker: a chain for each framing it meets, kept between files.
private final class RestoreWorker {
    private let copy: RestoreCopy
    private let number: Int
    private let expect: Expect
    private let meter: MeterTap
    private let compare: Expect
    private let normal: Chain
    private let raw: Chain
    /// For block-incremental files: their content is checked after it was put together.
    private let pieces: Chain
    private let content: Chain
    private let existing: Chain
    private var block = Block(capacity: 1 << 18)
    private let reader: NeighbourReader
    /// Where the neighbours in the bundle end that are restored next.
    private var endOfJob: UInt64 = 0

    init(_ copy: RestoreCopy, number: Int) throws(BackupError) {
        self.copy = copy
        self.number = number
        expect = Expect(try copy.set.repository.sha1())
        compare = Expect(try copy.set.repository.sha1())
        meter = MeterTap(copy.meter)
        let looks: [Step] = [.tap(expect), .tap(meter)]
        normal = Chain(try copy.decoding.steps(.normal) + looks)
        raw = Chain(try copy.decoding.steps(.raw) + looks)
        pieces = Chain(try copy.decoding.steps(.raw))
        content = Chain(looks)
        existing = Chain([.tap(compare)])
        reader = NeighbourReader(copy.set.repository.storage, readOver: copy.readOver)
    }

    /// Files that lie one after the other in a bundle, or a single one.
    func restore(_ job: RestorePlan.Job) async throws(BackupError) {
        endOfJob = job.end
        for file in job.files { try await restore(file) }
        reader.close()
    }

    private func restore(_ file: Manifest.File) async throws(BackupError) {
        let (tree, key, isSynced) = copy.target.place(of: file.name)
        let path = "\(tree.location)/\(key)"
        meter.file = key.path
        if try await isKept(file, tree, key) {
            copy.meter.add(Int64(file.size), file: key.path)
            copy.context.log.detail(
                "restore file \(path) - exists and matches backup (\(sizeText(file.size)), \(copy.meter.percent)%)", worker: number)
            return
        }
        let options = PutOptions(isSynced ? .bySync : .now, attributes: copy.attributes(file))
        do throws(BackupError) {
            try await Retry(copy.context.options).run(onRetry: { error in
                meter.undo()
                reader.close()
                copy.context.log.warn("retry of restore of file '\(path)': \(error)", worker: number)
            }) { () async throws(BackupError) in
                var flow = try await flow(file)
                _ = try await tree.put(key, from: &flow, options)
            }
        } catch {
            throw explain(error, file, path)
        }
        copy.context.log.detail(
            "restore file \(path) (\(sizeText(file.size)), \(copy.meter.percent)%)\(file.checksum.map { " checksum \($0)" } ?? "")",
            worker: number)
    }

    func read(_ file: Manifest.File) async throws(BackupError) -> [UInt8] {
        do throws(BackupError) {
            var flow = try await flow(file)
            return try await flow.readAll()
        } catch {
            throw explain(error, file, file.name)
        }
    }

    /// Damage names the file, the repository and the backup that holds the bytes.
    private func explain(_ error: BackupError, _ file: Manifest.File, _ path: String) -> BackupError {
        if error.code == .cancelled || error.code == .full || error.code == .denied { return error }
        let repository = copy.set.repository
        let key = copy.manifest.location(of: file, stanza: copy.stanza, suffix: copy.decoding.codec.suffix)?.key ?? Key(file.name)
        var error = error.during("unable to restore '\(path)' from \(repository.name) file '\(repository.storage.location)/\(key)'")
        if error.code == .crypto { error.code = .format }
        if error.hint == nil, [.checksum, .corrupt, .format, .notFound].contains(error.code) {
            error.hint =
                "the file in the repository is damaged or missing: restore another backup with --set, or from another repository with --repo."
        }
        return error
    }

    /// The content of a file as it comes out of the repository.
    private func flow(_ file: Manifest.File) async throws(BackupError) -> BoundedSource<Flow> {
        BoundedSource(try await decoded(file), atMost: file.size)
    }

    private func decoded(_ file: Manifest.File) async throws(BackupError) -> Flow {
        expect.next(digest: file.checksum?.description, size: file.size)
        guard let location = copy.manifest.location(of: file, stanza: copy.stanza, suffix: copy.decoding.codec.suffix) else {
            return try Flow(BytesSource([]), content)
        }
        let storage = copy.set.repository.storage
        if file.blockMapSize != nil { return try Flow(try await blocks(file, location), content) }
        let chain = location.framing == .raw ? raw : normal
        guard let range = location.range else { return try Flow(try await storage.open(location.key), chain) }
        return try Flow(try await reader.open(location.key, range) { endOfJob }, chain)
    }

    private func blocks(_ file: Manifest.File, _ location: Manifest.Location) async throws(BackupError) -> BlockSource {
        let storage = copy.set.repository.storage
        let manifest = copy.manifest
        let stanza = copy.stanza
        let mapSize = file.blockMapSize ?? 0
        let end = location.range?.upperBound ?? file.repositorySize
        guard mapSize <= end else { throw BackupError(.corrupt, "block map is larger than the stored file") }
        let source = try await storage.open(location.key, range: end - mapSize..<end)
        var flow = try Flow(source, Chain(try copy.decoding.seal.decryption(.raw)))
        let map = try BlockMap(
            try await flow.readAll(), blockSize: file.blockSize, checksumSize: file.blockChecksumSize, references: manifest.references.count
        )
        return BlockSource(storage, map, blockSize: file.blockSize, chain: pieces, readOver: copy.readOver) { reference, bundle in
            let label = manifest.references[reference]
            return bundle == 0 ? Layout.backup(stanza, label) / "\(file.name).pgbi" : Layout.bundle(stanza, label, bundle)
        }
    }

    /// With delta: whether what is there already is what the backup holds; its attributes are set back.
    private func isKept(_ file: Manifest.File, _ tree: any FileTree, _ key: Key) async throws(BackupError) -> Bool {
        guard copy.target.isDelta, let entry = try await tree.stat(key), entry.kind == .file, entry.size == file.size else { return false }
        if copy.target.isForced {
            guard entry.modified == file.timestamp, entry.modified < copy.manifest.timestampCopyStart else { return false }
        } else if file.size > 0 {
            compare.next(digest: file.checksum?.description, size: file.size)
            do throws(BackupError) {
                var flow = try Flow(try await tree.open(key), existing)
                try await flow.drain(&block)
            } catch  where error.code == .checksum || error.code == .denied {
                return false
            }
        }
        try await tree.setAttributes(key, copy.attributes(file))
        return true
    }
}
