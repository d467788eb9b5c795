// cacerts and simpleenroll with BouncyCastle's EST classes (RFC 7030) over the TLS of the Java platform.
// Arguments: host:port, label (may be empty), file of trusted CAs, file for the CA's certificates, and to enroll: user, name, files for
// key and certificate (PEM); the password is in the environment: SECRET.

import java.io.FileReader;
import java.io.FileWriter;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.cert.TrustAnchor;
import java.security.spec.ECGenParameterSpec;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.Store;

public class Est {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        JsseESTServiceBuilder builder =
                new JsseESTServiceBuilder(arguments[0], JcaJceUtils.getCertPathTrustManager(anchors(arguments[2]), null));
        builder.withProvider("SunJSSE");
        if (!arguments[1].isEmpty()) {
            builder.withLabel(arguments[1]);
        }
        ESTService service = builder.build();
        write(arguments[3], service.getCACerts().getCertificateStore());
        if (arguments.length == 4) {
            return;
        }
        String name = arguments[5];
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("P-256"));
        KeyPair key = generator.generateKeyPair();
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(
                Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
        PKCS10CertificationRequestBuilder request =
                new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=" + name), key.getPublic());
        request.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        PKCS10CertificationRequest signed =
                request.build(new JcaContentSignerBuilder("SHA256withECDSA").setProvider("BC").build(key.getPrivate()));
        EnrollmentResponse answer = service.simpleEnroll(
                false,
                signed,
                new JcaHttpAuthBuilder(arguments[4], System.getenv("SECRET").toCharArray()).setProvider("BC").build());
        if (!answer.isCompleted()) {
            throw new IllegalStateException("it has to wait");
        }
        try (JcaPEMWriter file = new JcaPEMWriter(new FileWriter(arguments[6]))) {
            file.writeObject(new JcaPKCS8Generator(key.getPrivate(), null));
        }
        write(arguments[7], answer.getStore());
        System.out.println("issued");
    }

    private static Set<TrustAnchor> anchors(String path) throws Exception {
        Set<TrustAnchor> found = new HashSet<>();
        try (PEMParser file = new PEMParser(new FileReader(path))) {
            for (Object one = file.readObject(); one != null; one = file.readObject()) {
                found.add(new TrustAnchor(new JcaX509CertificateConverter().getCertificate((X509CertificateHolder) one), null));
            }
        }
        return found;
    }

    private static void write(String path, Store<X509CertificateHolder> certificates) throws Exception {
        try (JcaPEMWriter file = new JcaPEMWriter(new FileWriter(path))) {
            Collection<X509CertificateHolder> all = certificates.getMatches(null);
            for (X509CertificateHolder one : all) {
                file.writeObject(one);
            }
        }
    }
}
