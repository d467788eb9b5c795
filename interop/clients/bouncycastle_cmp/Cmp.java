// ir and certConf with BouncyCastle's CMP classes, protected by a shared secret (RFC 9810).
// Arguments: URL, reference, name, files for key, certificate and chain (PEM); the secret is in the environment: SECRET.

import java.io.FileWriter;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.Date;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertResponse;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIFailureInfo;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.cmp.CertificateConfirmationContentBuilder;
import org.bouncycastle.cert.cmp.GeneralPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.jcajce.JcaCertificateRequestMessageBuilder;
import org.bouncycastle.cert.crmf.jcajce.JcePKMACValuesCalculator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

public class Cmp {
    private static final GeneralName NOBODY = new GeneralName(new X500Name(new RDN[0]));
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final URI url;
    private final byte[] reference;
    private final char[] secret;
    private final byte[] transaction = random();
    private byte[] theirNonce;

    private Cmp(String url, String reference, String secret) {
        this.url = URI.create(url);
        this.reference = reference.getBytes();
        this.secret = secret.toCharArray();
    }

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        new Cmp(arguments[0], arguments[1], System.getenv("SECRET")).enroll(arguments[2], arguments[3], arguments[4], arguments[5]);
    }

    private void enroll(String name, String keyFile, String certificateFile, String chainFile) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("P-256"));
        KeyPair key = generator.generateKeyPair();
        JcaCertificateRequestMessageBuilder request = new JcaCertificateRequestMessageBuilder(BigInteger.ZERO);
        request.setSubject(new X500Name("CN=" + name));
        request.setPublicKey(key.getPublic());
        request.addExtension(
                Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
        request.setProofOfPossessionSigningKeySigner(
                new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate()));
        GeneralPKIMessage answer = exchange(
                new PKIBody(PKIBody.TYPE_INIT_REQ, new CertReqMessages(request.build().toASN1Structure())),
                PKIBody.TYPE_INIT_REP);
        CertRepMessage reply = CertRepMessage.getInstance(answer.getBody().getContent());
        CertResponse response = reply.getResponse()[0];
        if (response.getCertifiedKeyPair() == null) {
            throw new IOException("refused: " + shown(response.getStatus()));
        }
        CMPCertificate issued = response.getCertifiedKeyPair().getCertOrEncCert().getCertificate();
        X509CertificateHolder certificate = new X509CertificateHolder(issued.getX509v3PKCert());
        exchange(
                new PKIBody(
                        PKIBody.TYPE_CERT_CONFIRM,
                        new CertificateConfirmationContentBuilder()
                                .addAcceptedCertificate(certificate, BigInteger.ZERO)
                                .build(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                                .toASN1Structure()),
                PKIBody.TYPE_CONFIRM);
        try (JcaPEMWriter file = new JcaPEMWriter(new FileWriter(keyFile))) {
            file.writeObject(new JcaPKCS8Generator(key.getPrivate(), null));
        }
        try (JcaPEMWriter file = new JcaPEMWriter(new FileWriter(certificateFile))) {
            file.writeObject(certificate);
        }
        try (JcaPEMWriter file = new JcaPEMWriter(new FileWriter(chainFile))) {
            CMPCertificate[] extra = answer.toASN1Structure().getExtraCerts();
            for (CMPCertificate one : extra == null ? new CMPCertificate[0] : extra) {
                file.writeObject(new X509CertificateHolder(one.getX509v3PKCert()));
            }
        }
        System.out.println("issued " + certificate.getSerialNumber().toString(16));
    }

    private GeneralPKIMessage exchange(PKIBody body, int expected) throws Exception {
        byte[] nonce = random();
        ProtectedPKIMessageBuilder builder = new ProtectedPKIMessageBuilder(NOBODY, NOBODY)
                .setTransactionID(transaction)
                .setSenderNonce(nonce)
                .setSenderKID(reference)
                .setMessageTime(new Date())
                .setBody(body);
        if (theirNonce != null) {
            builder.setRecipNonce(theirNonce);
        }
        PKMACBuilder mac = new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC")).setIterationCount(1000);
        ProtectedPKIMessage message = builder.build(mac.build(secret));
        HttpRequest post = HttpRequest.newBuilder(url)
                .timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/pkixcmp")
                .POST(HttpRequest.BodyPublishers.ofByteArray(message.toASN1Structure().getEncoded("DER")))
                .build();
        HttpResponse<byte[]> reply = HTTP.send(post, HttpResponse.BodyHandlers.ofByteArray());
        GeneralPKIMessage answer = new GeneralPKIMessage(reply.body());
        if (answer.getBody().getType() == PKIBody.TYPE_ERROR) {
            ErrorMsgContent error = ErrorMsgContent.getInstance(answer.getBody().getContent());
            throw new IOException("error: " + shown(error.getPKIStatusInfo()));
        }
        if (!answer.hasProtection() || !new ProtectedPKIMessage(answer).verify(mac, secret)) {
            throw new IOException("the answer is not protected by the shared secret");
        }
        if (answer.getBody().getType() != expected) {
            throw new IOException("the answer is of type " + answer.getBody().getType());
        }
        if (!java.util.Arrays.equals(answer.getHeader().getRecipNonce().getOctets(), nonce)) {
            throw new IOException("the answer has another nonce");
        }
        theirNonce = answer.getHeader().getSenderNonce().getOctets();
        return answer;
    }

    private static String shown(PKIStatusInfo status) {
        String text = status.getStatusString() == null ? "" : status.getStatusString().getStringAtUTF8(0).getString();
        int bits = status.getFailInfo() == null ? 0 : status.getFailInfo().intValue();
        String known = (bits & PKIFailureInfo.badMessageCheck) != 0 ? "badMessageCheck" : "0x" + Integer.toHexString(bits);
        return "status " + status.getStatus() + ", failInfo " + known + ", " + text;
    }

    private static byte[] random() {
        byte[] octets = new byte[16];
        RANDOM.nextBytes(octets);
        return octets;
    }
}
