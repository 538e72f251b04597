// Locks and stop files on this host, shared with the peer (repository-format.md sections 12.1 and 12.2).

import BackstopCore
import Glibc
import Synchronization

/// The exclusive locks of a running command, one for each kind and repository. Released at the end of its life, or by the kernel when
/// the process dies.
final class CommandLock: Sendable {
    private struct Held {
        var path: String
        var descriptor: Int32
    }

    private let held: Mutex<[Held]>
    /// The name of the run (`exec-id`).
    let run: String
    /// Follows the name where a lock is held for a command of another host.
    private static let farMark = "-far"

    /// Takes all or throws `.lockAcquire` (50) naming what is busy. `client`: the run of another host that they are taken for; locks that
    /// this process holds for the same run are no obstacle.
    init(
        _ kinds: [LockKind], stanza: String, repositories: [Int], for client: String? = nil, _ options: Options, _ log: Log
    ) throws(BackupError) {
        let run =
            client.map { $0 + Self.farMark } ?? options[RunOptions.execID] ?? "\(getpid())-"
            + String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
        let names = kinds.flatMap { kind in repositories.map { Self.fileName(stanza, kind, $0) } }
        let folder = LockFolder(options)
        var taken: [Held] = []
        do throws(BackupError) {
            var foreign = try Self.take(names, in: folder, run, options.newModes, &taken)
            if let found = foreign {
                for lock in taken { Self.release(lock) }
                taken = []
                log.warn(
                    "\(found.text): it counts for nothing, and locks are kept in '\(folder.own.path)'\nHINT: \(Self.folderHint)")
                foreign = try Self.take(names, in: folder.own, run, options.newModes, &taken)
            } else if folder.own.finding == .counts {
                // What others have put into the folder may be gone, but not yet the command that met it.
                foreign = try Self.take(names, in: folder.own, run, options.newModes, &taken)
            }
            if let foreign { throw BackupError(.lockAcquire, "unable to acquire locks: \(foreign.text)", hint: Self.folderHint) }
        } catch {
            for lock in taken { Self.release(lock) }
            throw error
        }
        self.run = run
        held = Mutex(taken)
        write(progress: nil)
    }

    deinit { held.withLock { for lock in $0 { Self.release(lock) } } }

    /// Tells `info` how far the command is: bytes in all and bytes done.
    func tell(size: UInt64, complete: UInt64) { write(progress: (size, complete)) }

    private func write(progress: (size: UInt64, complete: UInt64)?) {
        var object: [String: JSON] = ["execId": .string(run), "pid": JSON(Int(getpid()))]
        if let progress {
            object["pctCplt"] = JSON(progress.size == 0 ? 0 : hundredthsOfPercent(progress.complete, of: progress.size))
            object["sz"] = JSON(progress.size)
            object["szCplt"] = JSON(progress.complete)
        }
        let bytes = JSON.object(object).bytes
        held.withLock { locks in
            for lock in locks {
                _ = pwrite(lock.descriptor, bytes, bytes.count, 0)
                _ = ftruncate(lock.descriptor, off_t(bytes.count))
            }
        }
    }

    private static func fileName(_ stanza: String, _ kind: LockKind, _ repository: Int) -> String {
        "\(stanza)-\(kind.rawValue)-\(repository).lock"
    }

    private static let folderHint = "set lock-path to a folder that only the users of \(Program.name) can write to."

    /// A folder or file that counts for nothing.
    private struct Foreign {
        var text: String
        init(_ folder: LockFolder, owner: uid_t) { text = "the lock folder '\(folder.path)' belongs to \(LockFolder.name(owner))" }
        init(file path: String, owner: uid_t) { text = "the lock file '\(path)' belongs to \(LockFolder.name(owner))" }
    }

    /// Takes the locks of these names as far as they are free of what belongs to others, and says what was met.
    private static func take(
        _ names: [String], in folder: LockFolder, _ run: String, _ modes: NewModes, _ taken: inout [Held]
    ) throws(BackupError) -> Foreign? {
        try makeFolder(folder.path, modes)
        if case .foreign(let owner) = folder.finding { return Foreign(folder, owner: owner) }
        for name in names {
            if case .foreign(let owner) = folder.finding(name) { return Foreign(file: folder.file(name), owner: owner) }
            switch try take(folder.file(name), folder.trusted, run, modes) {
            case .taken(let lock): taken.append(lock)
            case .shared: break
            case .foreign(let owner): return Foreign(file: folder.file(name), owner: owner)
            }
        }
        return nil
    }

    static func makeFolder(_ path: String, _ modes: NewModes) throws(BackupError) {
        if mkdir(path, 0o770) == 0 { return modes.settle(path, 0o770) }
        if errno == EEXIST { return }
        let parent = Key(path).parent.path
        if errno == ENOENT, !parent.isEmpty {
            try makeFolder(parent, modes)
            if mkdir(path, 0o770) == 0 { return modes.settle(path, 0o770) }
        }
        throw BackupError(
            .pathCreate, "unable to create lock path '\(path)': \(systemMessage(errno))", hint: "set another folder with --lock-path.")
    }

    private enum Taking {
        case taken(Held)
        /// The run has it already.
        case shared
        case foreign(owner: uid_t)
    }

    private static func take(
        _ path: String, _ trusted: Set<uid_t>, _ run: String, _ modes: NewModes
    ) throws(BackupError) -> Taking {
        // `info` takes a lock for a moment to see whether it is held, so a busy lock is tried again. One that another connection of the same
        // run holds may be that of a connection that is gone, and be free in a moment.
        var isOurs = false
        var holder: JSON?
        for attempt in 0..<40 {
            if attempt > 0 { usleep(50_000) }
            if attempt >= 5 && !isOurs { break }
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
            if descriptor < 0 {
                throw BackupError(
                    .lockAcquire, "unable to acquire lock on file '\(path)': \(systemMessage(errno))",
                    hint: errno == EACCES ? "does '\(currentUser())' running \(Program.name) have permissions on the '\(path)' file?" : nil)
            }
            var ours = stat()
            // Put there since it was looked at.
            if fstat(descriptor, &ours) == 0, !trusted.contains(ours.st_uid) {
                close(descriptor)
                return .foreign(owner: ours.st_uid)
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                var named = stat()
                // The holder before may have removed the file between our open and our lock.
                if fstat(descriptor, &ours) == 0, lstat(path, &named) == 0, ours.st_ino == named.st_ino, ours.st_dev == named.st_dev {
                    // The folder may be open to all users: what they put there under our name must not be written to.
                    if ours.st_mode & S_IFMT == S_IFREG, ours.st_nlink == 1 {
                        modes.settle(descriptor, 0o640)
                        return .taken(Held(path: path, descriptor: descriptor))
                    }
                    close(descriptor)
                    throw BackupError(
                        .lockAcquire, "'\(path)' is not a lock file", hint: "remove it, or set another folder with --lock-path.")
                }
            }
            holder = content(descriptor)
            close(descriptor)
            let name = holder?["execId"]?.string
            isOurs = run.hasSuffix(farMark) && name == run
            // The command itself, on this very host.
            if let name, name + farMark == run { return .shared }
        }
        if isOurs { return .shared }
        throw BackupError(
            .lockAcquire, "unable to acquire lock on file '\(path)': Resource temporarily unavailable",
            hint: holderText(holder) ?? "is another \(Program.name) or pgbackrest process running?")
    }

    /// Who has it, as far as the file tells.
    private static func holderText(_ holder: JSON?) -> String? {
        guard let process = holder?["pid"]?.int else { return nil }
        let isFar = holder?["execId"]?.string?.hasSuffix(farMark) ?? false
        let percent = holder?["pctCplt"]?.uint.map { ", \($0 / 100)% done" } ?? ""
        return "process \(process) has it\(isFar ? " for a command of another host" : "")\(percent): wait until it ends."
    }

    private static func release(_ lock: Held) {
        unlink(lock.path)
        close(lock.descriptor)
    }

    // MARK: Looking from outside

    /// The stanza when `name` is that of a lock file: `<stanza>-<kind>-<number>.lock`.
    static func stanza(ofFile name: String) -> String? {
        guard name.hasSuffix(".lock") else { return nil }
        let parts = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, LockKind(rawValue: String(parts[parts.count - 2])) != nil, Int(parts[parts.count - 1]) != nil else {
            return nil
        }
        return parts.dropLast(2).joined(separator: "-")
    }

    struct State: Sendable {
        var size: UInt64?
        var complete: UInt64?
    }

    /// Opens a lock file that others may have made: it is not waited for and no link is followed.
    static func openToLook(_ path: String) -> Int32 { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }

    /// What holds the lock now; nil when nobody does.
    static func state(_ kind: LockKind, stanza: String, repository: Int, _ options: Options) -> State? {
        let folder = LockFolder(options)
        for folder in [folder, folder.own] {
            let descriptor = openToLook(folder.file(fileName(stanza, kind, repository)))
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            // Whoever only looks need not be trusted by the commands that run: their folder is theirs.
            guard let owner = owner(descriptor), folder.trusted.contains(owner) || folder.owner == owner,
                flock(descriptor, LOCK_SH | LOCK_NB) != 0
            else { continue }
            let json = content(descriptor)
            return State(size: json?["sz"]?.uint, complete: json?["szCplt"]?.uint)
        }
        return nil
    }

    /// The user that an open file belongs to.
    static func owner(_ descriptor: Int32) -> uid_t? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status.st_uid : nil
    }

    private static func content(_ descriptor: Int32) -> JSON? {
        JSON(
            parsing: [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, pread(descriptor, buffer.baseAddress, 4096, 0))
            })
    }
}

func currentUser() -> String { getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "user id \(geteuid())" }

/// Files by which an operator stops commands.
enum StopFile {
    static func name(_ stanza: String?) -> String { "\(stanza ?? "all").stop" }

    /// Throws `.stopped` (62) while a stop file of the stanza or of all stanzas exists. Without a stanza only the latter counts. One that
    /// somebody else has put there is a warning: archiving would end, and pg_wal fill up, at the whim of any user of the host.
    static func check(_ stanza: String?, _ options: Options, _ log: Log) throws(BackupError) {
        let folder = LockFolder(options)
        for stanza in (stanza.map { [$0] } ?? []) + [nil] {
            switch folder.finding(name(stanza)) {
            case .nothing: break
            case .counts:
                throw BackupError(
                    .stopped, "stop file exists for \(stanza.map { "stanza \($0)" } ?? "all stanzas")",
                    hint: "remove it with '\(Program.called) start\(stanza.map { " --stanza=\($0)" } ?? "")' when the reason is gone.")
            case .foreign(let owner):
                log.warn(
                    "stop file '\(folder.file(name(stanza)))' counts for nothing: it or its folder belongs to \(LockFolder.name(owner))"
                        + "\nHINT: 'stop' has to be called by the user that runs the other commands.")
            }
        }
    }
}
