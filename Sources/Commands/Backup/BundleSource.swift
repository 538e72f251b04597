// Many small files as one object (repository-format.md section 5).

import BackstopCore

/// The stored forms of files, one after the other. What is gone, unchanged or empty takes no room.
struct BundleSource: ByteSource, ~Copyable {
    /// A file, and what was found in it unless an earlier backup has it.
    typealias Result = (file: StoredFile, planned: PlannedFile, found: ChainFindings?)

    private let worker: BackupWorker
    private let bundle: UInt64
    private var rest: ArraySlice<PlannedFile>
    private var current: (StartedSource<Flow>)?
    /// The file of `current`.
    private var planned: PlannedFile?
    /// Bytes so far, and where the current file began.
    private var position: UInt64 = 0
    private var begin: UInt64 = 0
    private(set) var results: [Result] = []
    private(set) var gone: [PlannedFile] = []

    init(_ files: [PlannedFile], bundle: UInt64, _ worker: BackupWorker) {
        self.worker = worker
        self.bundle = bundle
        rest = files[...]
    }

    /// Goes on to the next file that has to be stored. False: there is none.
    mutating func advance() async throws(BackupError) -> Bool {
        while current == nil, let next = rest.popFirst() {
            let begun: BackupWorker.Begun
            do throws(BackupError) {
                begun = try await worker.begin(next, in: (bundle, position))
            } catch  where error.code == .notFound {
                gone.append(next)
                continue
            }
            switch consume begun {
            case .same(let file): results.append((file, next, nil))
            case .empty(let file): results.append((file, next, nil))
            case .bytes: preconditionFailure("of what goes into a bundle the beginning is read")
            case .started(let bytes):
                current = consume bytes
                planned = next
                begin = position
            }
        }
        return current != nil
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let free = out.freeCapacity
        while out.freeCapacity == free, try await advance() {
            let before = out.byteCount
            let more = try await current?.read(into: &out) ?? false
            position += UInt64(out.byteCount - before)
            if !more { try finish() }
        }
        return current != nil || !rest.isEmpty
    }

    private mutating func finish() throws(BackupError) {
        current = nil
        guard let planned else { return }
        var (file, found) = try worker.finish(planned, stored: position - begin)
        file.bundle = bundle
        file.bundleOffset = begin
        results.append((file, planned, found))
        worker.toldOfBundle += Int64(clamping: found.size)
    }
}

extension BackupWorker {
    /// Stores files in one object. Those that are gone are not in the answer.
    func copy(_ files: [PlannedFile], bundle: UInt64) async throws(BackupError) -> [StoredFile] {
        var results: [BundleSource.Result] = []
        var gone: [PlannedFile] = []
        do throws(BackupError) {
            try await run.policy.retry.run(onRetry: { error in
                undo()
                run.meter.add(-toldOfBundle, file: "")
                run.log.warn("retry of bundle \(bundle): \(error)", worker: number)
            }) { () async throws(BackupError) in
                toldOfBundle = 0
                await lookAhead(files)
                var source = BundleSource(files, bundle: bundle, self)
                if try await source.advance() {
                    let entry = try await run.repository.storage.put(
                        run.repository.layout.bundle(run.label, bundle), from: &source, PutOptions(.bySync))
                    let stored = source.results.reduce(0) { $0 + ($1.found == nil ? 0 : $1.file.repositorySize) }
                    guard entry.size == stored else {
                        throw BackupError(.checksum, "\(entry.size) bytes were stored of the \(stored) of bundle \(bundle)")
                    }
                }
                (results, gone) = (source.results, source.gone)
            }
        } catch {
            throw error.code == .cancelled
                ? error : error.during("copy of \(files.count) files to \(run.repository.name), bundle \(bundle)")
        }
        for file in gone { logGone(file) }
        var stored: [StoredFile] = []
        for result in results {
            var file = result.file
            if let found = result.found { try await look(at: found, result.planned, &file) }
            stored.append(file)
            if file.reference == nil { try await log(file) } else { try await logSame(file) }
        }
        return stored
    }
}
