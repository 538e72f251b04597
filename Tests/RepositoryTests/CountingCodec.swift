import BackstopCodecs
import Synchronization

@testable import BackstopCore

/// A codec of this build that counts how often it is asked for an encoder.
final class CountingCodec: Sendable {
    private struct Counted: Codec {
        let inner: any Codec
        let count: @Sendable () -> Void
        func encoder() throws(BackupError) -> any Transform {
            count()
            return try inner.encoder()
        }
        func decoder() throws(BackupError) -> any Transform { try inner.decoder() }
    }

    private let inner: CodecDriver
    private let made = Mutex(0)

    init(_ name: String) throws {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        inner = try registry.codec(name)
    }

    var encoders: Int { made.withLock { $0 } }

    var driver: CodecDriver {
        CodecDriver(name: inner.name, suffix: inner.suffix, levels: inner.levels, defaultLevel: inner.defaultLevel) {
            (level, framing) throws(BackupError) in
            Counted(inner: try self.inner.open(level, framing)) { self.made.withLock { $0 += 1 } }
        }
    }
}
