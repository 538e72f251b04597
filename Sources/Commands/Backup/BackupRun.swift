// Copies what a plan says into a repository, and answers what was stored.

import BackstopCore
import Synchronization

struct BackupRun: Sendable {
    let repository: StanzaRepository
    let label: BackupLabel
    /// Of the manifest: the last is `label`.
    let references: [BackupLabel]
    let coding: ObjectCoding
    let cluster: ClusterFiles
    /// What WAL replay writes is copied from it; nil: from `cluster` as everything else.
    let standby: ClusterFiles?
    let control: ControlFile
    let policy: BackupPolicy
    /// Of what is in bundles: the same in all backups of a set.
    let bundleFraming: Framing
    let lease: RepositoryLease
    /// Of the session that began the backup, and of the standby's.
    let watches: [SessionWatch]
    let clock: CopyClock
    let meter: ProgressMeter
    let log: Log

    /// Copies the files of `plan` that may have changed, and adds them to `files`, what it keeps, in the order of names. What disappeared from the
    /// cluster since it was listed is not in the answer.
    func run(
        _ plan: BackupPlan, addingTo files: consuming [StoredFile], _ checkpoint: BackupCheckpoint
    ) async throws(BackupError) -> [StoredFile] {
        files.reserveCapacity(files.count + plan.jobs.reduce(0) { $0 + $1.count })
        let stored = Mutex<[StoredFile]>(files)
        try await parallel(
            plan.jobs, workers: policy.workers, atATime: repository.storage.smallAtATime, isSmall: { $0.size <= smallFile },
            makeWorker: { (number) throws(BackupError) in
                let files = try BackupWorker(self, number: number)
                return (files: files, bundles: bundleFraming == .normal ? files : try BackupWorker(self, number: number, bundleFraming))
            },
            body: { (worker, job) async throws(BackupError) in
                for watch in watches { try watch.check() }
                try lease.check()
                switch job {
                case .file(let file): if let file = try await worker.files.copy(file) { stored.withLock { $0.append(file) } }
                case .bundle(let number, let files):
                    let files = try await worker.bundles.copy(files, bundle: number)
                    stored.withLock { $0 += files }
                }
                try await checkpoint.note(job.size) { stored.withLock { $0 } }
            })
        return stored.withLock { stored in
            stored.sort { $0.name < $1.name }
            return stored
        }
    }

    /// Copies pg_control after all others. From then on no earlier backup has anything to say of the time of its files to a later one that sees
    /// them on another host: pg_control has a time that no cluster has, so that checksums are compared (repository-format.md section 3.4).
    func copyLast(_ control: PlannedFile) async throws(BackupError) -> StoredFile? {
        var file = try await BackupWorker(self, number: 0).copy(control)
        file?.timestamp += Self.farFuture
        return file
    }

    /// Ten years, in seconds.
    private static let farFuture: Int64 = 10 * 365 * 86400

    /// Where a file is copied from.
    func source(_ file: PlannedFile) -> ClusterFiles { file.isCut ? standby ?? cluster : cluster }

    /// Stores a file that the program made itself (backup_label, tablespace_map).
    func store(_ text: String, as name: String, timestamp: Int64, _ attributes: FileAttributes) async throws(BackupError) -> StoredFile {
        let worker = try BackupWorker(self, number: 0)
        let name = ManifestName("\(Manifest.dataName)/\(name)")
        return try await policy.retry.step("file '\(name.base)'", log) { () throws(BackupError) in
            try await worker.put(Array(text.utf8), name, timestamp: timestamp, attributes)
        }
    }

    func key(_ name: ManifestName, _ suffix: String) -> Key { repository.layout.backup(label) / (name.text + suffix) }

    /// Of a file that is in no bundle.
    func key(_ file: PlannedFile) -> Key { key(file.name, file.blocks == nil ? coding.codec.suffix : Layout.blockSuffix) }

    /// Bytes of content that are compressed together.
    var superBlock: UInt64 {
        let rules = policy.blocks ?? BlockRules()
        return label.type == .full ? rules.superBlockOfFull : rules.superBlock
    }

    /// Where a file is copied from, for the log.
    func path(_ name: ManifestName) -> String {
        let isOfStandby =
            standby != nil && name != ClusterListing.control
            && name.folder.map { BackupPlan.foldersOfRelations(control.version)($0.path) } == true
        return "\((isOfStandby ? standby : nil)?.path ?? cluster.path)/\(clusterKey(name.text))"
    }
}
