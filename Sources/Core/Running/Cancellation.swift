// The wish of the operating system that the process end: set by a signal, obeyed between two parts of the data.

import Synchronization

/// A fact about the whole process, and so the one thing here that is global.
public enum Cancellation {
    private static let signal = Atomic<Int32>(0)

    /// Asks all work to end; safe in a signal handler.
    public static func request(signal number: Int32) { signal.store(number, ordering: .relaxed) }

    /// The number of the signal; 0 when there was none.
    public static var requested: Int32 { signal.load(ordering: .relaxed) }

    /// Throws `.cancelled` once the process was asked to end.
    public static func check() throws(BackupError) {
        let number = signal.load(ordering: .relaxed)
        if number != 0 { throw BackupError(.cancelled, "terminated on signal \(number)") }
    }
}
