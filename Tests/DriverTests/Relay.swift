// A relay between a client and a server whose connections can be cut.

import EndToEndSupport
import Foundation
import Synchronization

final class Relay: Sendable {
    let port: Int
    private let listener: Int32
    private struct State {
        var descriptors: Set<Int32> = []
        /// Bytes of the client that are still let through, of all connections together; nil: all.
        var rest: Int?
        var isHeld = false
        var connections = 0
    }
    private let state = Mutex(State())

    /// `upstream`: a port of this host; nil accepts connections and says nothing, ever.
    init(to upstream: Int?) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 50) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw Failure("no port for a relay") }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        guard let upstream else { return }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                let server = Self.connect(upstream)
                state.withLock {
                    $0.descriptors.formUnion([client, server])
                    $0.connections += 1
                }
                Thread.detachNewThread { [self] in copy(client, server, isCounted: true) }
                Thread.detachNewThread { [self] in copy(server, client, isCounted: false) }
            }
        }
    }

    private static func connect(_ port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        withUnsafePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    private func copy(_ from: Int32, _ to: Int32, isCounted: Bool) {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(from, &bytes, bytes.count, 0)
            while state.withLock({ $0.isHeld }) { usleep(10_000) }
            let mayPass = state.withLock { state in
                guard isCounted, let rest = state.rest else { return true }
                state.rest = max(0, rest - max(0, count))
                return rest > count
            }
            guard count > 0, mayPass, send(to, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        // Both ways at a time, as when a host loses power. Closed never: a test has few, and a number is not used twice.
        for descriptor in [from, to] { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// All that are open.
    func cut() { for descriptor in state.withLock({ $0.descriptors }) { shutdown(descriptor, Int32(SHUT_RDWR)) } }

    /// Those that carry more bytes to the server than so many from now on.
    func cut(after count: Int?) { state.withLock { $0.rest = count } }

    /// Nothing comes through meanwhile, and everything stays open.
    func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    /// How many there were.
    var connections: Int { state.withLock { $0.connections } }

    /// Nobody is let in any more.
    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    deinit { Glibc.close(listener) }
}
