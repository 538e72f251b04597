// The codecs, ciphers and checksums of this build, one line each.

public import BackstopCore

/// All codecs, the cipher and the checksums of this module, under their names in plugins.conf.
public func registerBuiltinCodecs(in registry: inout Registry) {
    registry.register(codec("none", "", 0...0, 0) { _, _ in None() })
    registry.register(codec("gz", ".gz", -1...9, 6) { Gz(level: $0, framing: $1) })
    registry.register(codec("lz4", ".lz4", -5...12, 1) { Lz4(level: $0, framing: $1) })
    registry.register(codec("zst", ".zst", -7...22, 3) { level, _ in Zst(level: level) })
    registry.register(codec("bz2", ".bz2", 1...9, 9) { level, _ in Bz2(level: level) })

    registry.register(
        CipherDriver(name: "aes-256-cbc", recognizes: CipherHeader.init(beginning:), open: Aes256Cbc.init(keys:framing:)))

    registry.register(checksum: "sha1", Sha(algorithm: .sha1))
    registry.register(checksum: "sha256", Sha(algorithm: .sha256))
    registry.register(checksum: "sha512", Sha(algorithm: .sha512))
}

/// A codec that refuses levels it does not have.
private func codec(
    _ name: String, _ suffix: String, _ levels: ClosedRange<Int>, _ defaultLevel: Int,
    _ make: @escaping @Sendable (Int, Framing) -> any Codec
) -> CodecDriver {
    CodecDriver(name: name, suffix: suffix, levels: levels, defaultLevel: defaultLevel) { (level, framing) throws(BackupError) in
        guard levels.contains(level) else {
            throw BackupError(
                .invalid, "level \(level) is not possible with \(name)",
                hint: "the levels of \(name) are \(levels.lowerBound) to \(levels.upperBound).")
        }
        return make(level, framing)
    }
}
