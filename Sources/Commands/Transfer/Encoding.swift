// How bytes are stored: compressed, then encrypted; and back, chosen from what was stored.

import BackstopCore

/// Compression and encryption of what is written.
struct Encoding: Sendable {
    let codec: CodecDriver
    let level: Int
    let seal: Seal?

    /// From `compress-type` and `compress-level`.
    init(_ options: Options, _ registry: Registry, _ seal: Seal?) throws(BackupError) {
        codec = try registry.codec(options[CodecOptions.compressType])
        level = options[CodecOptions.compressLevel] ?? codec.defaultLevel
        self.seal = seal
    }

    init(codec: CodecDriver, level: Int, _ seal: Seal?) {
        self.codec = codec
        self.level = level
        self.seal = seal
    }

    /// Whether the stored form differs from the content.
    var changesBytes: Bool { codec.name != "none" || seal != nil }

    func steps() throws(BackupError) -> [Step] { try compression() + encryption() }

    func compression() throws(BackupError) -> [Step] {
        codec.name == "none" ? [] : [.transform(try codec.open(level, .normal).encoder())]
    }

    func encryption() throws(BackupError) -> [Step] { try seal.encryption() }
}

/// The way back.
struct Decoding: Sendable {
    let codec: CodecDriver
    let seal: Seal?

    func steps(_ framing: Framing) throws(BackupError) -> [Step] {
        var steps = try seal.decryption(framing)
        if codec.name != "none" { steps.append(.transform(try codec.open(codec.defaultLevel, framing).decoder())) }
        return steps
    }

    /// The codec whose suffix ends `name`; none for a name without one. Throws for a codec that is not allowed here.
    static func codec(ofFile name: some StringProtocol, _ registry: Registry) throws(BackupError) -> CodecDriver {
        for codec in registry.codecs.values where !codec.suffix.isEmpty && name.hasSuffix(codec.suffix) { return codec }
        for (suffix, codec) in Layout.codecs where name.hasSuffix(suffix) { return try registry.codec(codec) }
        return try registry.codec("none")
    }
}
