// Bytes to and from a server, whoever carries them: SSH in the program, a script in tests.

internal import BackstopCore

/// Belongs to one task at a time. Every wait has an end.
protocol ByteChannel: AnyObject {
    /// How long may pass without a byte.
    var patience: Duration { get set }
    /// True while something is tidied up that a wish to end the process shall not cut short.
    var outlivesCancellation: Bool { get set }
    /// Waits for bytes and answers how many there are now in `buffer`; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int
    /// Waits until some of them are on their way and answers how many. The rest must come next.
    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) -> Int
    /// The same without waiting: nil when there are none.
    func readNow(into buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int?
}
