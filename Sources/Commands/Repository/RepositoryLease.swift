// The right to change a stanza in a repository, which its runs on all hosts respect (decision 0008). Locks keep those of one host apart.

import BackstopCore
import Glibc
import Synchronization

/// Taken before the first change, renewed by a task of its own until it is given back, whatever the command waits for meanwhile.
final class RepositoryLease: Sendable {
    private struct State {
        var record: LeaseRecord
        /// When the storage last took the claim.
        var renewed: ContinuousClock.Instant
        var loss: BackupError?
        /// Why the claim could not be renewed the last time.
        var trouble: BackupError?
    }

    private let repository: StanzaRepository
    private let state: Mutex<State>
    private let renewing: Mutex<Task<Void, Never>?>
    /// Claims of runs that are over; what they left behind may be removed, and then they themselves.
    let dead: [LeaseRecord]
    /// When it was taken, Unix seconds by the storage's clock.
    let taken: Int64

    /// Throws `.lockAcquire` (50) and says who is there when that is somebody else. The command holds its locks on this host, so no other run of it is alive.
    static func take(
        _ repository: StanzaRepository, _ context: RunContext
    ) async throws(BackupError) -> RepositoryLease {
        var record = LeaseRecord(
            token: LeaseRecord.makeToken(), state: .asking, command: context.command, host: hostName(), process: Int64(getpid()),
            place: place(context, repository.repository), since: unixNow())
        let key = LeaseRecord.key(record.token, in: repository.layout)
        do throws(BackupError) {
            try await write(record, in: repository)
            let end = ContinuousClock.now + .seconds(60)
            while true {
                let (own, others) = try await look(record, in: repository)
                guard let own else { throw vanished(repository) }
                switch own.verdict(others) {
                case .free:
                    record.state = .running
                    try await write(record, in: repository)
                    let dead = others.filter { own.outlives($0) }
                    return RepositoryLease(repository, record, dead, taken: own.renewed)
                case .lost(let holder): throw busy(repository, holder)
                case .wait(let rival):
                    guard ContinuousClock.now < end else { throw busy(repository, rival) }
                    try await pause(.milliseconds(200))
                }
            }
        } catch {
            try? await repository.storage.remove(key)
            throw error
        }
    }

    private init(_ repository: StanzaRepository, _ record: LeaseRecord, _ dead: [LeaseRecord], taken: Int64) {
        self.repository = repository
        self.dead = dead
        self.taken = taken
        state = Mutex(State(record: record, renewed: .now))
        renewing = Mutex(nil)
        // Not on the lane of the command, which may be blocked by its server or by one large file.
        let task = Task.detached(executorPreference: globalConcurrentExecutor) { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: LeaseRecord.renewal)
                if Task.isCancelled { return }
                guard let self else { return }
                await self.renew()
            }
        }
        renewing.withLock { $0 = task }
    }

    deinit { renewing.withLock { $0?.cancel() } }

    /// Claims of other runs that count now or no longer, and the own one as the storage shows it.
    private static func look(
        _ record: LeaseRecord, in repository: StanzaRepository
    ) async throws(BackupError) -> (own: LeaseRecord?, others: [LeaseRecord]) {
        var own: LeaseRecord?
        var others: [LeaseRecord] = []
        for (token, entry) in try await LeaseRecord.list(in: repository) {
            if token == record.token {
                own = record
                own?.renewed = entry.modified
                continue
            }
            do throws(BackupError) {
                others.append(
                    LeaseRecord(token: token, try await repository.storage.read(entry.key, limit: 64 << 10), renewed: entry.modified))
            } catch  where error.code == .notFound {
                // Given back since it was listed.
            } catch  where error.code == .corrupt {
                others.append(LeaseRecord(token: token, [], renewed: entry.modified))
            }
        }
        return (own, others)
    }

    private static func write(_ record: LeaseRecord, in repository: StanzaRepository) async throws(BackupError) {
        // After a power failure nobody runs.
        try await repository.storage.put(LeaseRecord.key(record.token, in: repository.layout), bytes: record.json.bytes, PutOptions(.never))
    }

    // MARK: While it is held

    /// Tells other hosts, and who cleans up after us, which folder is ours. To be called before anything is put there.
    func name(_ label: BackupLabel) async throws(BackupError) {
        let record = state.withLock { state in
            state.record.label = label
            return state.record
        }
        try await Self.write(record, in: repository)
    }

    /// Throws `.lockAcquire` (50) as soon as it is known to be lost. Asks nobody.
    func check() throws(BackupError) {
        let (loss, age, trouble) = state.withLock { ($0.loss, ContinuousClock.now - $0.renewed, $0.trouble) }
        if let loss { throw loss }
        if age > .seconds(LeaseRecord.validity) {
            throw BackupError(
                .lockAcquire,
                "\(repository.name): the lease could not be renewed for \(age.components.seconds / 60) minutes, others may run now"
                    + (trouble.map { ": \($0.message)" } ?? ""),
                hint: "was this host suspended, or the repository away?")
        }
    }

    /// Throws `.lockAcquire` (50) unless the repository still shows this run as the only one.
    func confirm() async throws(BackupError) {
        try check()
        let (own, others) = try await Self.look(state.withLock { $0.record }, in: repository)
        guard let own else { throw Self.vanished(repository) }
        // Who only asks will see us and give way.
        if let rival = others.first(where: { $0.state == .running && !own.outlives($0) }) { throw Self.busy(repository, rival) }
    }

    private func renew() async {
        do throws(BackupError) {
            try await confirm()
            try await Self.write(state.withLock { $0.record }, in: repository)
            state.withLock {
                $0.renewed = .now
                $0.trouble = nil
            }
        } catch {
            if error.code == .lockAcquire {
                state.withLock { $0.loss = $0.loss ?? error }
            } else if error.code != .cancelled {
                repository.log.detail("\(repository.name): the lease could not be renewed and will be again: \(error.message)")
                state.withLock { $0.trouble = error }
            }
        }
    }

    // MARK: The end

    /// Gives it back. `leaving`: whether the folder of the label may be there without being a backup; who comes next is told that nobody
    /// works on it. Never fails: a claim that stays counts for nothing after a while.
    func release(leaving: Bool) async {
        let task = renewing.withLock { $0 }
        task?.cancel()
        await task?.value
        var record = state.withLock { $0.record }
        if leaving, record.label != nil {
            record.state = .ended
            let ended = record
            _ = await Result { () async throws(BackupError) in try await Self.write(ended, in: repository) }
        } else {
            await forget([record])
        }
    }

    /// Removes claims of runs that are over, when what they left behind is gone.
    func forget(_ records: [LeaseRecord]) async {
        for record in records {
            _ = await Result { () async throws(BackupError) in
                try await repository.storage.remove(LeaseRecord.key(record.token, in: repository.layout))
            }
        }
    }

    // MARK: Words

    private static func busy(_ repository: StanzaRepository, _ holder: LeaseRecord) -> BackupError {
        BackupError(
            .lockAcquire, "\(repository.name): the stanza is in use by \(holder.holder)",
            hint:
                "run this again when that has ended. When its host is gone, its claim ends \(LeaseRecord.validity / 60) minutes after it was"
                + " renewed last.")
    }

    private static func vanished(_ repository: StanzaRepository) -> BackupError {
        BackupError(
            .lockAcquire, "\(repository.name): the lease of this run was removed by somebody else",
            hint: "does another host use this repository, was this one suspended, or is a rule at work that removes objects?")
    }

    /// Runs that meet in the same locks: those of other users count for nothing.
    private static func place(_ context: RunContext, _ repository: Repository) -> String {
        let folder = LockFolder(context.options).path
        let machine = (try? readFile("/etc/machine-id")).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self).trimmed } ?? ""
        return "\(hostName()) \(machine) \(realPath(folder) ?? folder) \(geteuid()) \(repository.name)"
    }
}

func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        gethostname(buffer.baseAddress!, 255) == 0 ? String(cString: buffer.baseAddress!) : "?"
    }
}
