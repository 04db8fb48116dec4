"""The grants of the hosted edition, labelled the vendor's way, described in our words."""

from __future__ import annotations

from tui.api.models import Grant

_ROWS = """
ab-testing/manage|A/B Testing: Read/Write|Set up, change and cancel A/B tests of templates.
account/view|Account: Read-only|Look at the account's plan and limits.
alerts/manage|Alerts: Read/Write|Decide who hears about which change in the figures.
blocklist_monitors/manage|Blocklist Monitoring: Read/Write|Watch whom blocklists list.
bounce_domains/manage|Bounce Domains: Read/Write|Decide where bounces come back to.
deliverability/view|Deliverability: Read-only|Look at how mail fares in people's inboxes.
deliverability/manage|Deliverability: Read/Write|Set up the watching of inboxes.
dkim/manage|DKIM Keys: Read/Write|Add and rotate the keys that sign mail.
events/ingest|Events Ingest: Write|Hand in events from other mail servers.
events/view|Events Search: Read-only|Search the events of single messages.
inbound_domains/manage|Inbound Domains: Read/Write|Decide which domains receive mail.
incidents/view|Blocklist Incidents: Read-only|Look at listings on blocklists, past and present.
ip_pools/view|IP Pools: Read-only|Look at the groups of sending addresses.
ip_pools/manage|IP Pools: Read/Write|Group the sending addresses.
labels/manage|Labels: Read/Write|Sort templates and reports under labels.
message_events/view|Message Events: Read-only|Read the older kind of message events.
metrics/view|Metrics: Read-only|Read the figures on messages sent and received.
preference_centers/manage|Preference Pages: Read/Write|Lay out where recipients choose what to get.
recipient_lists/manage|Recipient Lists: Read/Write|Keep lists of recipients.
recipient-validation/preview|Recipient Validation: Try|Check a single address.
recipient-validation/manage|Recipient Validation: Read/Write|Check whole lists of addresses.
relay_webhooks/view|Relay Webhooks: Read-only|Look at where received mail is passed on to.
relay_webhooks/modify|Relay Webhooks: Read/Write|Decide where received mail is passed on to.
reports/manage|Scheduled Reports: Read/Write|Have reports sent at set times.
sending_domains/view|Sending Domains: Read-only|Look at the domains that mail comes from.
sending_domains/manage|Sending Domains: Read/Write|Add and verify domains that mail comes from.
sending_ips/view|Sending IPs: Read-only|Look at the addresses that mail leaves from.
sending_ips/manage|Sending IPs: Read/Write|Decide how the sending addresses are used.
signals/manage|Signals: Read/Write|Read and set up the analysis of engagement.
smtp/inject|Send via SMTP|Hand in mail over SMTP.
snippets/view|Snippets: Read-only|Look at the building blocks of templates.
snippets/modify|Snippets: Read/Write|Change the building blocks of templates.
subaccount/view|Subaccounts: Read-only|Look at the subaccounts.
subaccount/manage|Subaccounts: Read/Write|Open, change and suspend subaccounts.
suppression_lists/manage|Suppression Lists: Read/Write|Keep the list of those who get no mail.
templates/view|Templates: Read-only|Look at templates.
templates/modify|Templates: Read/Write|Write, change and delete templates.
templates/preview|Templates: Preview|See a template filled in with data.
tracking_domains/view|Tracking Domains: Read-only|Look at the domains of tracked links.
tracking_domains/manage|Tracking Domains: Read/Write|Add and verify domains of tracked links.
transmissions/view|Transmissions: Read-only|Look at mailings.
transmissions/modify|Transmissions: Read/Write|Send mailings, schedule and cancel them.
webhooks/view|Event Webhooks: Read-only|Look at where events are sent to.
webhooks/modify|Event Webhooks: Read/Write|Decide where events are sent to.
"""


def _grant(row: str) -> Grant:
    key, label, description = row.split("|")
    return Grant(key, label, description)


SPARKPOST: tuple[Grant, ...] = tuple(map(_grant, _ROWS.strip().splitlines()))
