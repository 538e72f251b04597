// What a codec is to those who choose it by name.

/// How the streams of a codec are wrapped in the repository (repository-format.md sections 5.3, 7.1, 8.3).
public enum Framing: Sendable {
    /// Like a file of the format's own tool.
    case normal
    /// The shorter form used inside bundles and block-incremental files.
    case raw
}

/// A compression of whole objects.
public struct CodecDriver: Sendable {
    /// As in `compress-type`.
    public var name: String
    /// With the dot: `.gz`.
    public var suffix: String
    /// What `compress-level` may be.
    public var levels: ClosedRange<Int>
    /// Where `compress-level` is not given; one of `levels`.
    public var defaultLevel: Int
    /// A codec of that level, for any number of workers.
    public var open: @Sendable (_ level: Int, _ framing: Framing) throws(BackupError) -> any Codec

    public init(
        name: String, suffix: String, levels: ClosedRange<Int>, defaultLevel: Int,
        open: @escaping @Sendable (Int, Framing) throws(BackupError) -> any Codec
    ) {
        self.name = name
        self.suffix = suffix
        self.levels = levels
        self.defaultLevel = defaultLevel
        self.open = open
    }
}
