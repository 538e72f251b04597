// Brings the files of a backup to their places, each verified before it appears.

import BackstopCore

struct RestoreCopy: Sendable {
    let repository: StanzaRepository
    let manifest: Manifest
    let target: RestoreTarget
    let meter: ProgressMeter
    let retry: Retry
    let workers: Int
    /// Bytes between two files of a bundle that are rather read than skipped.
    let readOver: UInt64
    /// Ends at a file whose pages were bad when it was backed up.
    let refusesBadPages: Bool
    /// Those that were restored although pages of them are bad.
    let badFiles = BadFiles()
    /// nil: all databases have their content.
    let databases: DatabaseChoice?
    let log: Log

    /// Restores all files but those.
    func run(besides left: Set<ManifestName>) async throws(BackupError) {
        let plan = RestorePlan(manifest.files, skipping: left, readOver: readOver, try repository.locations(manifest))
        try await parallel(
            plan.jobs, workers: workers, atATime: repository.storage.smallAtATime, isSmall: { $0.size <= smallFile },
            makeWorker: { (number) throws(BackupError) in try RestoreWorker(self, number: number) },
            body: { (worker, job) async throws(BackupError) in try await worker.restore(plan.order[job.files], until: job.end) })
    }

    /// The bytes of pg_control, verified; it is put in place last.
    func control(_ file: StoredFile) async throws(BackupError) -> [UInt8] {
        try await StoredFileReader(manifest, in: repository, readOver: readOver).content(of: file, "restore '\(file.name)'")
    }
}

/// One worker, which keeps its reader between files.
private final class RestoreWorker {
    private let copy: RestoreCopy
    private let number: Int
    private let meter: MeterTap
    private let compare: Expect
    private let existing: Chain
    private var block = Block(capacity: BlockSize.standard)
    private let reader: StoredFileReader

    init(_ copy: RestoreCopy, number: Int) throws(BackupError) {
        self.copy = copy
        self.number = number
        compare = Expect(try copy.repository.sha1())
        meter = MeterTap(copy.meter)
        existing = Chain([.tap(compare)])
        reader = try StoredFileReader(copy.manifest, in: copy.repository, readOver: copy.readOver, watching: [meter])
    }

    /// Files that lie one after the other in a bundle, or a single one.
    func restore(_ files: ArraySlice<Int>, until end: UInt64) async throws(BackupError) {
        for index in files { try await restore(copy.manifest.files[index], until: end) }
        reader.close()
    }

    private func restore(_ file: StoredFile, until end: UInt64) async throws(BackupError) {
        let (tree, key, isSynced) = copy.target.place(of: file.name.text)
        let path = "\(tree.location)/\(key)"
        meter.file = key.path
        let options = PutOptions(isSynced ? .bySync : .now, attributes: Attributes(file))
        if let databases = copy.databases, databases.isEmptied(file.name) {
            try await makeHole(file, tree, key, options)
            return
        }
        if try await isKept(file, tree, key) {
            copy.meter.add(Int64(file.size), file: key.path)
            copy.log.detail(
                "restore file \(path) - exists and matches backup (\(roundedSize(file.size)), \(copy.meter.percent)%)", worker: number)
            return try judge(file, path)
        }
        do throws(BackupError) {
            try await copy.retry.run(onRetry: { error in
                meter.undo()
                reader.close()
                copy.log.warn("retry of restore of file '\(path)': \(error)", worker: number)
            }) { () async throws(BackupError) in
                var flow = try await reader.open(file, until: end)
                _ = try await tree.put(key, from: &flow, options)
            }
        } catch {
            throw reader.explain(error, file, "restore '\(path)'")
        }
        copy.log.detail(
            "restore file \(path) (\(roundedSize(file.size)), \(copy.meter.percent)%)\(file.checksum.map { " checksum \($0)" } ?? "")",
            worker: number)
        try judge(file, path)
    }

    /// A file of its size and without content, which takes no room.
    private func makeHole(_ file: StoredFile, _ tree: any FileTree, _ key: Key, _ options: PutOptions) async throws(BackupError) {
        var options = options
        options.length = file.size
        var nothing = BytesSource([])
        _ = try await tree.put(key, from: &nothing, options)
        copy.meter.add(Int64(clamping: file.size), file: key.path)
        copy.log.detail(
            "restore zeroed file \(tree.location)/\(key) (\(roundedSize(file.size)), \(copy.meter.percent)%)", worker: number)
    }

    /// By what the backup found of its pages, whether it was copied now or was there already: a restore that is repeated must not be quiet about
    /// what stopped it the first time.
    private func judge(_ file: StoredFile, _ path: String) throws(BackupError) {
        guard file.pagesValid == false, file.size > 0 else { return }
        let fault = "invalid page checksum(s) found in file \(path)"
        if copy.refusesBadPages {
            throw BackupError(
                .checksum, fault,
                hint: "'info --set=\(copy.manifest.label)' lists the pages; an older backup may have them whole."
                    + "\nwith --no-checksum-page-error the cluster is restored with them.")
        }
        copy.badFiles.note()
        copy.log.warn(fault, worker: number)
    }

    /// With delta: whether what is there already is what the backup holds; its attributes are set back.
    private func isKept(_ file: StoredFile, _ tree: any FileTree, _ key: Key) async throws(BackupError) -> Bool {
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
        // Even with nothing to set: the tree has to know that this file must be on disk at the end.
        try await tree.setAttributes(key, Attributes(file).differing(from: entry))
        return true
    }
}

extension Attributes {
    /// As the file had them.
    init(_ file: StoredFile) {
        self.init(mode: file.mode, user: file.owner.user, group: file.owner.group, modified: file.timestamp)
    }

    /// What is not so already.
    fileprivate func differing(from entry: Entry) -> Attributes {
        let has = entry.attributes
        return Attributes(
            mode: mode == has.mode ? nil : mode, user: user == has.user && group == has.group ? nil : user,
            group: user == has.user && group == has.group ? nil : group, modified: modified == entry.modified ? nil : modified)
    }
}
