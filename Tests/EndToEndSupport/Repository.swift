// What a repository may be: where it is, how it is compressed, whether it is encrypted. A test that is written once runs over a table of these.

import Foundation

/// A kind of storage that can hold a repository.
public struct RepositoryKind: Sendable, CustomStringConvertible {
    public let description: String
    /// The repo1-… options that point at an empty place of this kind, which lives as long as the folder.
    public let options: @Sendable (TemporaryFolder) throws -> [(String, String)]

    /// A folder on this host.
    public static let posix = RepositoryKind(description: "posix") { folder in
        [("repo1-path", try folder.makeDirectory("repository", mode: "750"))]
    }

    /// Every kind that there is: a new one is added here, and the end-to-end tests run on it too.
    public static let all: [RepositoryKind] = [.posix]
}

public enum Codec: String, Sendable, CaseIterable, CustomStringConvertible {
    case none, gz, lz4, zst, bz2
    public var description: String { rawValue }
    /// The suffix of a stored file.
    public var suffix: String { self == .none ? "" : ".\(rawValue)" }
}

public enum Cipher: String, Sendable, CaseIterable, CustomStringConvertible {
    case none
    case aes = "aes-256-cbc"
    public var description: String { self == .none ? "open" : "sealed" }
}

/// How a repository is written.
public struct Format: Sendable, CustomStringConvertible {
    public let codec: Codec
    public let cipher: Cipher
    public var description: String { "\(codec) \(cipher)" }
    public static let passphrase = "a passphrase of the tests"

    public init(_ codec: Codec, _ cipher: Cipher = .none) {
        self.codec = codec
        self.cipher = cipher
    }

    /// Every codec with and without encryption.
    public static let all = Codec.allCases.flatMap { codec in Cipher.allCases.map { Format(codec, $0) } }

    var options: [(String, String)] {
        var options = [("compress-type", codec.rawValue)]
        if codec != .none { options.append(("compress-level", codec == .bz2 ? "2" : "1")) }
        if cipher != .none { options += [("repo1-cipher-type", cipher.rawValue), ("repo1-cipher-pass", Format.passphrase)] }
        return options
    }
}
