// Steps that change the bytes: compress, encrypt, and back.

/// Changes a stream of bytes. Synchronous: it never waits for anybody; it is fed and emptied by a `Chain`.
public protocol Transform: AnyObject {
    /// Takes what it can of `input` and appends what it can to `out`. `end`: nothing comes after `input`.
    /// It must take or give at least one byte unless `input` is empty and not at the end, or `out` is full.
    /// `done`: the stream is complete, nothing will be appended any more. A decoder that is done before all its input was taken,
    /// or that is at the end before it is done, throws `.corrupt`.
    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress

    /// Ready for the next object, memory kept.
    func reset() throws(BackupError)
}

/// What one call of a transform has done.
public struct Progress: Sendable {
    /// Bytes of the input that were taken.
    public var consumed: Int
    /// The stream is complete: it takes and gives nothing any more.
    public var done: Bool

    public init(consumed: Int, done: Bool) {
        self.consumed = consumed
        self.done = done
    }
}

/// A compression or encryption: makes encoders and decoders.
public protocol Codec: Sendable {
    func encoder() throws(BackupError) -> any Transform
    func decoder() throws(BackupError) -> any Transform
}
