#!/usr/bin/perl
# A peer made of Net::SMPP, driven by JSON lines: commands on standard input, events on standard
# output. It decides nothing: every PDU that arrives is reported as the library decoded it, every
# PDU that leaves is encoded by the library from the fields that the driver named.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;

$| = 1;
$SIG{PIPE} = 'IGNORE';

my $json     = JSON::PP->new->canonical->latin1;
my $select   = IO::Select->new(\*STDIN);
my %by_conn  = ();    # connection number -> Net::SMPP
my %conn_of  = ();    # file number -> connection number
my %listener = ();    # port -> Net::SMPP that listens
my $conn_last = 0;
my $input     = '';

sub report { print $json->encode({@_}), "\n"; }

sub adopt {
    my ($smpp) = @_;
    my $conn = ++$conn_last;
    $by_conn{$conn} = $smpp;
    $conn_of{ fileno $smpp } = $conn;
    $select->add($smpp);
    return $conn;
}

sub drop {
    my ($conn) = @_;
    my $smpp = delete $by_conn{$conn} or return;
    delete $conn_of{ fileno $smpp };
    $select->remove($smpp);
    $smpp->close;
    report(event => 'closed', conn => $conn);
}

# Fields that the library unpacks as numbers; everything else is octets.
my %is_number = map { $_ => 1 } qw(
  interface_version addr_ton addr_npi source_addr_ton source_addr_npi dest_addr_ton dest_addr_npi
  esm_class protocol_id priority_flag registered_delivery replace_if_present_flag data_coding
  sm_default_msg_id message_state error_code number_of_dests no_unsuccess);
my %is_text = map { $_ => 1 } qw(
  system_id password system_type address_range service_type source_addr destination_addr
  schedule_delivery_time validity_period message_id final_date);
my %is_internal = map { $_ => 1 } qw(cmd status seq data reserved known_pdu);

sub report_pdu {
    my ($conn, $pdu) = @_;
    my %fields = (
        command         => $pdu->{known_pdu} ? $pdu->explain_cmd : 'unknown',
        command_status  => $pdu->{status},
        sequence_number => $pdu->{seq},
    );
    for my $key (keys %$pdu) {
        next if $is_internal{$key} || $key =~ /^\d+$/ || !defined $pdu->{$key};
        my $value = $pdu->{$key};
        if    (ref $value)         { $fields{$key} = $value; }
        elsif ($is_text{$key})     { $fields{$key} = $value; }
        elsif ($is_number{$key} && $value =~ /^\d+$/) { $fields{$key} = $value + 0; }
        else                       { $fields{$key} = { octets => unpack 'H*', $value }; }
    }
    report(event => 'pdu', conn => $conn, pdu => \%fields);
}

my %command = (
    listen => sub {
        my ($c) = @_;
        my $smpp = Net::SMPP->new_listen('0.0.0.0', port => $c->{port})
          or return report(event => 'error', port => $c->{port}, text => "listen: $!");
        $listener{ $c->{port} } = $smpp;
        $select->add($smpp);
        report(event => 'listening', port => $c->{port});
    },
    unlisten => sub {
        my ($c) = @_;
        my $smpp = delete $listener{ $c->{port} };
        $select->remove($smpp);
        $smpp->close;
        report(event => 'unlistened', port => $c->{port});
    },
    connect => sub {
        my ($c) = @_;
        my $smpp = Net::SMPP->new_connect($c->{host}, port => $c->{port}, timeout => 5);
        if (!$smpp) {
            my $conn = ++$conn_last;
            report(event => 'error', conn => $conn, text => "connect: $!");
            return report(event => 'closed', conn => $conn);
        }
        report(event => 'connected', conn => adopt($smpp));
    },
    send => sub {
        my ($c)    = @_;
        my %pdu    = %{ $c->{pdu} };
        my $method = delete $pdu{command};
        my $seq    = delete $pdu{sequence_number};
        my $status = delete $pdu{command_status} || 0;
        my @fields;
        for my $key (sort keys %pdu) {
            my $value = $pdu{$key};
            push @fields, $key, ref $value eq 'HASH' ? pack('H*', $value->{octets}) : $value;
        }
        my $is_response = $method =~ /_resp$|^generic_nack$/;
        $by_conn{ $c->{conn} }
          ->$method(seq => $seq, async => 1, $is_response ? (status => $status) : (), @fields);
    },
    close => sub { drop($_[0]->{conn}); },
);

sub read_commands {
    my $octets = sysread STDIN, $input, 65536, length $input;
    exit 0 if !$octets;
    while ($input =~ s/^([^\n]*)\n//) {
        my $c = $json->decode($1);
        eval { $command{ $c->{do} }->($c); 1 }
          or report(event => 'error', conn => $c->{conn}, text => "$@");
    }
}

report(event => 'ready', library => "Net::SMPP $Net::SMPP::VERSION");
while (1) {
    for my $handle ($select->can_read) {
        if ($handle == \*STDIN) {
            read_commands();
            next;
        }
        my ($port) = grep { $listener{$_} == $handle } keys %listener;
        if (defined $port) {
            my $smpp = $handle->accept or next;
            report(event => 'accepted', conn => adopt($smpp), port => $port,
                from => $smpp->peerhost);
            next;
        }
        # A command handled in this round may have closed this handle already.
        my $conn = defined fileno $handle ? $conn_of{ fileno $handle } : undef;
        next if !defined $conn;
        my $pdu = eval { local $SIG{__WARN__} = sub { }; $handle->read_pdu };
        report(event => 'error', conn => $conn, text => "$@") if $@;
        if   ($pdu) { report_pdu($conn, $pdu); }
        else        { drop($conn); }
    }
}
