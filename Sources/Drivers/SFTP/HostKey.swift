// Whether the key that a server shows is that of the host that was meant.

internal import BackstopCore
internal import CCrypto

/// The judge of one repository's host.
struct HostKey {
    let settings: SFTPSettings
    let log: Log

    /// The names of key types, those of known keys first, so that the server shows one that can be compared. nil: the library's own order.
    func preference() -> String? {
        guard settings.hostKeyCheck == .strict || settings.hostKeyCheck == .acceptNew else { return nil }
        let usual = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"]
        let known = KnownHosts(files: settings.knownHosts).types(settings.host, settings.port)
        let types = usual.filter { known.contains($0) } + usual.filter { !known.contains($0) }
        // One type of key, three ways to sign with it.
        return types.map { $0 == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256,ssh-rsa" : $0 }.joined(separator: ",")
    }

    /// Throws unless the key is good.
    func judge(_ key: [UInt8]) throws(BackupError) {
        // With files of known hosts a fingerprint that is given has to fit as well: what is configured is never ignored.
        if settings.hostKeyCheck != .none, let wanted = settings.fingerprint { try compare(key, wanted) }
        switch settings.hostKeyCheck {
        case .none, .fingerprint: return
        case .strict, .acceptNew: break
        }
        let known = KnownHosts(files: settings.knownHosts)
        let name = KnownHosts.name(settings.host, settings.port)
        let shown = "its \(Self.type(key)) key has the SHA256 fingerprint \(try Self.hexadecimal(digest(key, .sha256)))"
        switch known.verdict(settings.host, settings.port, key) {
        case .known: return
        case .changed(let line):
            throw BackupError(
                .denied, "\(settings.server) shows another key than the one that is known (\(line))",
                hint:
                    "\(shown).\nif the host was set up anew, remove its old lines: ssh-keygen -R '\(name)' -f FILE. "
                    + "if it was not, somebody may be in between.")
        case .revoked(let line):
            throw BackupError(.denied, "\(settings.server) shows a key that is revoked (\(line))")
        case .unknown where settings.hostKeyCheck == .acceptNew: accept(key)
        case .unknown:
            let unreadable = known.unreadable.isEmpty ? "" : "\nnot read: \(known.unreadable.joined(separator: ", "))."
            throw BackupError(
                .denied, "\(settings.server) is not known: no line for '\(name)' in \(settings.knownHosts.joined(separator: ", "))",
                hint:
                    "\(shown).\nif that is right: ssh-keyscan -p \(settings.port) \(settings.host) >>FILE, with \(settings.option("known-host")) naming the file, "
                    + "or \(settings.option("host-key-check-type"))=accept-new.\(unreadable)")
        }
    }

    private func accept(_ key: [UInt8]) {
        guard let file = settings.knownHosts.first else { return }
        do throws(BackupError) {
            try KnownHosts.add(settings.host, settings.port, type: Self.type(key), key: key, to: file)
            log.info("\(settings.server) was not known: its key was added to '\(file)'")
        } catch {
            log.warn("\(settings.server) was not known and will not be known the next time: \(error)")
        }
    }

    private func compare(_ key: [UInt8], _ wanted: [UInt8]) throws(BackupError) {
        let found = try digest(key, settings.hashType)
        guard found == wanted else {
            throw BackupError(
                .denied, "\(settings.server) shows a key with another fingerprint than \(settings.option("host-fingerprint"))",
                hint:
                    "its \(Self.type(key)) key has the \(settings.hashType.rawValue) fingerprint \(Self.hexadecimal(found)).\n"
                    + "if that is not the host's, somebody may be in between.",
                cause: DifferentFingerprint())
        }
    }

    /// Another key of the host may be the one that is meant.
    struct DifferentFingerprint: Error {}

    /// The first field of a key.
    static func type(_ key: [UInt8]) -> String {
        let name = key.withUnsafeBytes { bytes -> String? in
            var reader = PacketReader(bytes)
            return (try? reader.string()).map { String(decoding: $0, as: UTF8.self) }
        }
        return name ?? "unknown"
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func digest(_ bytes: [UInt8], _ type: SFTPSettings.HashType) throws(BackupError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: type.byteCount)
        var length = 0
        let name = type == .sha256 ? "SHA2-256" : type.rawValue
        guard EVP_Q_digest(nil, name, nil, bytes, bytes.count, &result, &length) == 1, length == type.byteCount else {
            throw BackupError(
                .unsupported, "libcrypto of this host cannot compute \(type.rawValue)",
                hint: "choose another \(settings.option("host-key-hash-type")).")
        }
        return result
    }
}
