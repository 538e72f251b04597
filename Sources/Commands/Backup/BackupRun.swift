// Copies what a plan says into a repository, and answers what was stored.

import BackstopCore
import Synchronization

struct BackupRun: Sendable {
    let repository: StanzaRepository
    let label: BackupLabel
    let coding: ObjectCoding
    let cluster: ClusterFiles
    let control: ControlFile
    let policy: BackupPolicy
    let lease: RepositoryLease
    /// Of the session that began the backup.
    let watch: SessionWatch?
    let meter: ProgressMeter
    let log: Log

    /// Copies the files of `plan` that may have changed, and adds what it keeps. What disappeared from the cluster since it was listed is not in
    /// the answer, which is in the order of names.
    func run(_ plan: BackupPlan) async throws(BackupError) -> [StoredFile] {
        let stored = Mutex<[StoredFile]>([])
        stored.withLock { $0 = plan.kept + $0 }
        try await parallel(
            plan.jobs, workers: policy.workers, atATime: repository.storage.smallAtATime, isSmall: { $0.size <= smallFile },
            makeWorker: { (number) throws(BackupError) in try BackupWorker(self, number: number) },
            body: { (worker, job) async throws(BackupError) in
                try watch?.check()
                try lease.check()
                switch job {
                case .file(let file): if let file = try await worker.copy(file) { stored.withLock { $0.append(file) } }
                }
            })
        return stored.withLock { stored in
            stored.sort { $0.name < $1.name }
            return stored
        }
    }

    /// Stores a file that the program made itself (backup_label, tablespace_map).
    func store(_ text: String, as name: String, timestamp: Int64, _ attributes: FileAttributes) async throws(BackupError) -> StoredFile {
        let worker = try BackupWorker(self, number: 0)
        let name = ManifestName("\(Manifest.dataName)/\(name)")
        return try await policy.retry.step("file '\(name.base)'", log) { () throws(BackupError) in
            try await worker.put(Array(text.utf8), name, timestamp: timestamp, attributes)
        }
    }

    func key(_ name: ManifestName) -> Key { repository.layout.backup(label) / (name.text + coding.codec.suffix) }

    func path(_ name: ManifestName) -> String { "\(cluster.path)/\(clusterKey(name.text))" }
}
