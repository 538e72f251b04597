import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// tls-cipher-12 and tls-cipher-13: what is forbidden is not used. The store offers no CCM, and its certificate is no ECDSA one.
@Suite(.servers) struct CipherTests {
    private func stat(_ ciphers12: String?, _ ciphers13: String?, seconds: Int = 30) async throws {
        var options = try ObjectStore.shared.get().options(path: "/ciphers/\(UUID().uuidString)", tls: true)
        if let ciphers12 { options.append(("tls-cipher-12", ciphers12)) }
        if let ciphers13 { options.append(("tls-cipher-13", ciphers13)) }
        // What cannot be reached is tried again within this time.
        options.append(("io-timeout", "\(seconds)"))
        _ = try await openStorage(options).stat(Key("nothing"))
    }

    /// The store speaks TLS 1.3.
    @Test(
        arguments: [
            ("ECDHE-RSA-AES128-GCM-SHA256", nil), (nil, "TLS_AES_128_GCM_SHA256"),
            ("ECDHE-ECDSA-AES128-CCM8", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
        ] as [(String?, String?)])
    func shared(_ ciphers12: String?, _ ciphers13: String?) async throws { try await stat(ciphers12, ciphers13) }

    @Test func nothingShared() async throws {
        await #expect(throws: BackupError.self) { try await stat("ECDHE-ECDSA-AES128-CCM8", "TLS_AES_128_CCM_SHA256", seconds: 2) }
    }

    @Test(arguments: [("NO-SUCH-CIPHER", nil), (nil, "NO_SUCH_SUITE")] as [(String?, String?)])
    func unknown(_ ciphers12: String?, _ ciphers13: String?) async throws {
        let error = await #expect(throws: BackupError.self) { try await stat(ciphers12, ciphers13) }
        #expect(error?.code == .optionInvalidValue && error?.description.contains("tls-cipher-1") == true, "\(String(describing: error))")
    }

    /// A server of TLS 1.2 with one cipher, which is no store: whether there is an answer is what counts.
    @Test func olderServer() async throws {
        let port = try FreePorts.take(1)[0]
        let authority = try ObjectStore.shared.get().authority
        let folder = authority.dropLast("authority.crt".count)
        let server = try Running(
            [
                "openssl", "s_server", "-accept", "\(port)", "-www", "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384",
                "-cert", "\(folder)store.crt", "-key", "\(folder)store.key",
            ], asRoot: true)
        try eventually("the server answers") {
            try attempt(["curl", "-sS", "--cacert", authority, "https://127.0.0.1:\(port)/"], asRoot: true).status == 0 ? true : nil
        }
        for (ciphers, isShared) in [("ECDHE-RSA-AES128-GCM-SHA256", false), ("ECDHE-RSA-AES256-GCM-SHA384", true)] {
            let options = try ObjectStore.shared.get().options(path: "/ciphers", tls: true, port: port)
            let storage = try await openStorage(options + [("tls-cipher-12", ciphers), ("io-timeout", "60")])
            let error = await #expect(throws: BackupError.self) { try await storage.list(.root) }
            #expect(error?.description.contains("handshake") == !isShared, "\(error?.description ?? "")")
        }
        withExtendedLifetime(server) {}
    }
}
