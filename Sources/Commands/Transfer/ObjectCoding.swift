// How bytes are stored: compressed, then encrypted; and back, chosen from what was stored.

import BackstopCore

/// A codec and a seal. What is read is never decoded by today's configuration: the codec comes from the file's name or the manifest, the
/// seal from the file that names its passphrase.
struct ObjectCoding: Sendable {
    let codec: CodecDriver
    /// Of what is written.
    let level: Int
    /// nil: not encrypted.
    let seal: Seal?

    /// For writing, from `compress-type` and `compress-level`. Throws `.unsupported` for a codec that is not allowed here.
    init(_ options: Options, _ registry: Registry, _ seal: Seal?) throws(BackupError) {
        codec = try registry.codec(options[CodecOptions.compressType])
        level = options[CodecOptions.compressLevel] ?? codec.defaultLevel
        self.seal = seal
    }

    /// Of what was stored so.
    init(_ codec: CodecDriver, _ seal: Seal?, level: Int? = nil) {
        self.codec = codec
        self.level = level ?? codec.defaultLevel
        self.seal = seal
    }

    /// Of a file whose name tells the codec by its end: none for a name without one. Throws `.unsupported` for a codec that is not allowed here.
    init(ofFile name: some StringProtocol, _ registry: Registry, _ seal: Seal?) throws(BackupError) {
        self.init(try Self.codec(ofFile: name, registry), seal)
    }

    private static func codec(ofFile name: some StringProtocol, _ registry: Registry) throws(BackupError) -> CodecDriver {
        for codec in registry.codecs.values where !codec.suffix.isEmpty && name.hasSuffix(codec.suffix) { return codec }
        for (suffix, codec) in Layout.codecs where name.hasSuffix(suffix) { return try registry.codec(codec) }
        return try registry.codec("none")
    }

    /// The same compression with another seal.
    func sealed(by seal: Seal?) -> ObjectCoding { ObjectCoding(codec, seal, level: level) }

    var compresses: Bool { codec.name != "none" }

    /// Whether the stored form differs from the content.
    var changesBytes: Bool { compresses || seal != nil }

    /// The compression as a step of a description; nil: none.
    func step(_ framing: Framing = .normal) -> ChainSpec.Step? { compresses ? .compress(codec: codec.name, level: level, framing) : nil }

    /// From the content to what is stored.
    func encoder(_ framing: Framing = .normal) throws(BackupError) -> [Step] { try compression(framing) + encryption(framing) }

    /// The first half of `encoder`, the same for all seals.
    func compression(_ framing: Framing = .normal) throws(BackupError) -> [Step] {
        compresses ? [.transform(try codec.open(level, framing).encoder())] : []
    }

    /// The second half of `encoder`.
    func encryption(_ framing: Framing = .normal) throws(BackupError) -> [Step] { try seal.encryption(framing) }

    /// The way back. Any level decodes what any other has made.
    func decoder(_ framing: Framing = .normal) throws(BackupError) -> [Step] {
        var steps = try seal.decryption(framing)
        if compresses { steps.append(.transform(try codec.open(codec.defaultLevel, framing).decoder())) }
        return steps
    }
}
