// What travels between this program and a storage in another process (docs/driver-protocol.md).

/// The kinds of frames: one byte, then the length of the payload in four bytes, big endian, then the payload.
public enum FrameKind: UInt8, Sendable {
    /// JSON `{"op":…}`: a request. From the client only, as are `abandon` and the data of a put.
    case call = 0x43
    /// Bytes of an object.
    case data = 0x44
    /// The object is complete. JSON.
    case end = 0x45
    /// JSON: the sender of data gives up; what came is to be forgotten.
    case abandon = 0x58
    /// JSON: the answer of a request that succeeded.
    case reply = 0x52
    /// JSON `{"code":…,"message":…,"hint":…}`: the answer of one that failed.
    case failure = 0x46
    /// JSON: one entry of a listing.
    case entry = 0x4C

    /// As docs/driver-protocol.md writes it: `C`, `D`.
    public var letter: Character { Character(UnicodeScalar(rawValue)) }
}

/// The beginning of a frame.
public struct FrameHeader: Sendable {
    /// What the payload is.
    public var kind: FrameKind
    /// Bytes of payload that follow.
    public var length: Int

    static let byteCount = 5

    public init(_ kind: FrameKind, length: Int) {
        self.kind = kind
        self.length = length
    }

    /// nil when it is no header, or announces more than a frame may have.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, let kind = FrameKind(rawValue: bytes[0]) else { return nil }
        let length = bytes[1...].reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.most(kind) else { return nil }
        self.init(kind, length: length)
    }

    var bytes: [UInt8] { [kind.rawValue] + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: length >> $0) } }

    static func most(_ kind: FrameKind) -> Int { kind == .data ? mostData : mostJSON }

    /// Longest payload of a data frame.
    public static let mostData = 1 << 20
    /// Longest payload of any other frame.
    public static let mostJSON = 1 << 20
}

/// The version of the protocol that this program speaks.
public let protocolVersion: Int64 = 1
