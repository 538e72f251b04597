import BackstopCore
import EndToEndSupport
import Testing

@testable import BackstopDrivers

/// HTTP/2 is spoken when it is asked for and the store offers it, and not otherwise.
@Suite(.servers) struct HTTPVersionTests {
    @Test(arguments: [(true, true, "HTTP/2"), (true, false, "HTTP/1.1"), (false, true, "HTTP/1.1")])
    func version(_ tls: Bool, _ wanted: Bool, _ spoken: String) async throws {
        let store = try ObjectStore.shared.get()
        let client = HTTPClient(HTTPSettings(authorityFile: store.authority, usesHTTP2: wanted))
        let url = tls ? "https://127.0.0.1:\(store.tlsPort)/" : "http://127.0.0.1:\(store.port)/"
        let answer = try await client.start(HTTPRequest(method: "GET", url: url)).answer().get()
        #expect(answer.version == spoken)
    }
}
