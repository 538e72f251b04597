// start and stop: letting commands of a stanza run, or not (repository-format.md section 12.2).

import BackstopCore
import Glibc

enum StartStop {
    static func stop(_ context: RunContext) throws(BackupError) {
        let stanza = context.options.string("stanza")
        let path = StopFile.path(stanza, context)
        if access(path, F_OK) == 0 {
            context.log.warn("stop file already exists for \(stanza.map { "stanza \($0)" } ?? "all stanzas")")
            return
        }
        try CommandLock.makeFolder(CommandLock.folder(context), context.options.newModes)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw BackupError(.fileOpen, "unable to write stop file '\(path)': \(systemMessage(errno))") }
        context.options.newModes.settle(descriptor, 0o640)
        fsync(descriptor)
        close(descriptor)
        if context.options.flag("force") { try terminate(stanza, context) }
    }

    static func start(_ context: RunContext) throws(BackupError) {
        let stanza = context.options.string("stanza")
        let path = StopFile.path(stanza, context)
        if unlink(path) == 0 { return }
        guard errno == ENOENT else { throw BackupError(.fileRemove, "unable to remove stop file '\(path)': \(systemMessage(errno))") }
        context.log.warn("stop file does not exist for \(stanza.map { "stanza \($0)" } ?? "all stanzas")")
    }

    /// Asks the processes that hold locks to end; they release what they hold.
    private static func terminate(_ stanza: String?, _ context: RunContext) throws(BackupError) {
        let folder = CommandLock.folder(context)
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard let owner = CommandLock.stanza(ofFile: name), stanza == nil || stanza == owner else { continue }
            let descriptor = CommandLock.openToLook("\(folder)/\(name)")
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { continue }
            let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, pread(descriptor, buffer.baseAddress, 4096, 0))
            }
            guard let pid = JSON(parsing: bytes)?["pid"]?.int, pid > 1, let number = pid_t(exactly: pid) else { continue }
            context.log.info("sent term signal to process \(pid)")
            kill(number, SIGTERM)
        }
    }
}
