// What a server answers: version 3 of the protocol (draft-ietf-secsh-filexfer-02), the one that all servers speak.

internal import BackstopCore

enum SFTPReply {
    case status(SFTPStatus)
    case handle([UInt8])
    /// The bytes are taken from the session.
    case data
    case names([SFTPName])
    case attributes(SFTPAttributes)
}

struct SFTPStatus: Sendable {
    var code: UInt32
    /// The server's words.
    var text: String

    static let ok: UInt32 = 0, end: UInt32 = 1, noSuchFile: UInt32 = 2, permissionDenied: UInt32 = 3, failure: UInt32 = 4
    static let badMessage: UInt32 = 5, noConnection: UInt32 = 6, connectionLost: UInt32 = 7, unsupported: UInt32 = 8

    var isOK: Bool { code == Self.ok }
    var isMissing: Bool { code == Self.noSuchFile }

    /// By code only. `denied`: when permission is what lacks; `otherwise`: when the server does not say what lacks, which is most often.
    func error(
        _ action: String, _ what: String, denied: BackupError.Code = .denied, otherwise: BackupError.Code = .io
    ) -> BackupError {
        let (errorCode, meaning, hint): (BackupError.Code, String, String?) =
            switch code {
            case Self.ok, Self.end: (.unavailable, "the server answers something else than was asked", nil)
            case Self.noSuchFile: (.notFound, "no such file or folder", nil)
            case Self.permissionDenied: (denied, "permission denied", "check owner and mode of the path on the server.")
            case Self.failure:
                (
                    otherwise, "the server says no more than that it failed",
                    otherwise == .fileWrite ? "is there space on the server? its log may tell more." : nil
                )
            case Self.badMessage: (.invalid, "the server does not take the request or the name", nil)
            case Self.noConnection, Self.connectionLost: (.unavailable, "the server has lost its own storage", nil)
            case Self.unsupported: (.unsupported, "the server cannot do that", nil)
            default: (otherwise, "the server answers with status \(code)", nil)
            }
        let words = ["failure", "permission denied", "no such file"].contains(text.lowercased()) ? "" : text
        return BackupError(errorCode, "unable to \(action) '\(what)': \(meaning)\(words.isEmpty ? "" : " (\(words))")", hint: hint)
    }
}

struct SFTPAttributes: Sendable {
    var size: UInt64?
    /// Kind and permissions, as POSIX writes them.
    var mode: UInt32?
    var modified: Int64?

    init() {}

    init(_ reader: inout PacketReader) throws(PacketReader.Malformed) {
        let flags = try reader.number()
        if flags & 1 != 0 { size = try reader.longNumber() }
        if flags & 2 != 0 { for _ in 0..<2 { _ = try reader.number() } }
        if flags & 4 != 0 { mode = try reader.number() }
        if flags & 8 != 0 {
            _ = try reader.number()
            modified = Int64(try reader.number())
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..<(try reader.number()) { for _ in 0..<2 { _ = try reader.string() } }
        }
    }

    /// nil when the server does not tell.
    var kind: Entry.Kind? {
        switch mode.map({ $0 & 0o170000 }) {
        case nil, 0: nil
        case 0o100000: .file
        case 0o040000: .folder
        case 0o120000: .link
        default: .special
        }
    }
}

struct SFTPName: Sendable {
    var name: [UInt8]
    var attributes: SFTPAttributes
}
