// A storage whose requests are answered by processes, as those see it who check what the processes do.

/// How a conversation with a process is broken off.
public enum ProgramEnd: Sendable {
    /// As when pgBackstop ends: its standard input ends.
    case endOfInput
    /// As when the host of the process does: it has no time to do anything.
    case kill
}

/// Every request that is under way has a process for itself.
public protocol ProgramStorage: Storage {
    /// Numbers of the living processes that have a request at this moment.
    var processesAtWork: Set<Int32> { get }

    /// Starts a process of its own, has it begin to put `bytes` as `key` (nil: no put), and ends it before they are complete. Answers its
    /// status as of `waitpid`; nil when it did not end within `limit`, it is killed then.
    func breakOff(put key: Key?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32?

    /// Kills the processes at work, so that their requests fail.
    func endProcesses()
}
