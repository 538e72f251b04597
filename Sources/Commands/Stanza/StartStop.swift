// start and stop: letting commands of a stanza run, or not (repository-format.md section 12.2).

import BackstopCore
import Glibc

enum StartStop {
    static func stop(_ context: RunContext) throws(BackupError) {
        let stanza = context.options[SourceOptions.stanza]
        let folder = LockFolder(context.options)
        let path = folder.file(StopFile.name(stanza))
        try CommandLock.makeFolder(folder.path, context.options.newModes)
        // What root puts into anybody's folder counts for whoever that is.
        if geteuid() != 0, case .foreign(let owner) = folder.finding {
            throw BackupError(
                .denied,
                "unable to write stop file '\(path)': its folder belongs to \(LockFolder.name(owner)), and what is in there counts for nothing",
                hint: "call 'stop' as the user that runs the other commands, or set lock-path for all of them.")
        }
        switch folder.finding(StopFile.name(stanza)) {
        case .counts:
            context.log.warn("stop file already exists for \(stanza.map { "stanza \($0)" } ?? "all stanzas")")
            return
        case .foreign(let owner) where geteuid() != 0:
            throw BackupError(
                .denied,
                "unable to write stop file '\(path)': there is one that belongs to \(LockFolder.name(owner)) and counts for nothing",
                hint: "remove it.")
        case .nothing, .foreign: break
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw BackupError(.fileOpen, "unable to write stop file '\(path)': \(systemMessage(errno))") }
        context.options.newModes.settle(descriptor, 0o640)
        fsync(descriptor)
        close(descriptor)
        if context.options[GeneralOptions.force] { terminate(stanza, context) }
    }

    static func start(_ context: RunContext) throws(BackupError) {
        let stanza = context.options[SourceOptions.stanza]
        let path = LockFolder(context.options).file(StopFile.name(stanza))
        if unlink(path) == 0 { return }
        guard errno == ENOENT else { throw BackupError(.fileRemove, "unable to remove stop file '\(path)': \(systemMessage(errno))") }
        context.log.warn("stop file does not exist\(stanza.map { " for stanza \($0)" } ?? "")")
    }

    /// Asks the processes that hold locks to end; they release what they hold.
    private static func terminate(_ stanza: String?, _ context: RunContext) {
        let folder = LockFolder(context.options)
        for folder in [folder, folder.own] { terminate(stanza, in: folder, context) }
    }

    private static func terminate(_ stanza: String?, in folder: LockFolder, _ context: RunContext) {
        guard let directory = opendir(folder.path) else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard let owner = CommandLock.stanza(ofFile: name), stanza == nil || stanza == owner else { continue }
            let descriptor = CommandLock.openToLook(folder.file(name))
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { continue }
            let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, pread(descriptor, buffer.baseAddress, 4096, 0))
            }
            guard let pid = JSON(parsing: bytes)?["pid"]?.int, pid > 1, let number = pid_t(exactly: pid) else { continue }
            // A lock file that anybody may have made names no process of somebody else.
            var process = stat()
            guard stat("/proc/\(number)", &process) == 0, process.st_uid == CommandLock.owner(descriptor) else { continue }
            context.log.info("sent term signal to process \(pid)")
            kill(number, SIGTERM)
        }
    }
}

extension StartStop {
    static let startCommand = Command(
        CommandSpec("start", "Stanza", "let commands run again", "Takes back what 'stop' did, for one stanza or without --stanza for all.")
        {
            $0.stanza = .optional
            $0.hasLogFile = true
        },
        run: { (context) throws(BackupError) in try start(context) })
}

extension StartStop {
    static let stopCommand = Command(
        CommandSpec(
            "stop", "Stanza", "keep commands from running",
            "For one stanza, or without --stanza for all. Commands that run go on, unless --force ends them."
        ) {
            $0.stanza = .optional
            $0.hasLogFile = true
        },
        run: { (context) throws(BackupError) in try stop(context) })
}
